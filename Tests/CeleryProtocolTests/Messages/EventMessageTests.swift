import AMQPValues
import CeleryProtocol
import Testing

@Suite("EventMessage")
struct EventMessageTests {
    private let event = EventMessage(
        type: "task-succeeded",
        hostname: "w1@worker.example",
        utcOffset: -2,
        processID: 12,
        clock: 7,
        fields: ["uuid": "a", "result": "'gr\u{fc}n'", "runtime": 0.5],
        timestamp: 1_795_234_409.25
    )

    private func events(_ text: String) throws -> [EventMessage] {
        try EventMessage.events(EventMessage.properties(hostname: "h"), body: Array(text.utf8))
    }

    @Test("is written in Celery's order")
    func order() {
        let text = String(decoding: event.encoded(), as: UTF8.self)
        #expect(
            text
                == #"{"hostname": "w1@worker.example", "utcoffset": -2.0, "pid": 12, "clock": 7, "uuid": "a", "#
                + #""result": "'gr\u00fcn'", "runtime": 0.5, "timestamp": 1795234409.25, "type": "task-succeeded"}"#
        )
    }

    @Test("cannot be given another sender by its fields")
    func commonFields() throws {
        var other = event
        other.fields["hostname"] = "somebody else"
        other.fields["type"] = "worker-offline"
        #expect(other.encoded() == event.encoded())
    }

    @Test("is read alone and in a batch")
    func batch() throws {
        let properties = EventMessage.properties(hostname: event.hostname)
        #expect(try EventMessage.events(properties, body: event.encoded()) == [event])
        #expect(try EventMessage.events(properties, body: EventMessage.encoded([event, event])) == [event, event])
        #expect(try events("[]").isEmpty)
    }

    @Test("needs nothing but its type")
    func minimal() throws {
        let event = try #require(try events(#"{"type": "my-own-event", "clock": null, "utcoffset": 1}"#).first)
        #expect(event == EventMessage(type: "my-own-event", hostname: "", utcOffset: 1))
        #expect(event.group == "my")
        #expect(EventMessage.routingKey(of: event.type) == "my.own.event")
        #expect(event.uuid == nil)
    }

    @Test(
        "is refused where it is none",
        arguments: [
            "1", "[1]", "{}", #"{"type": ""}"#, #"{"type": 1}"#, #"{"type": "a", "pid": "1"}"#,
            #"{"type": "a", "hostname": 1}"#, #"{"type": "a", "timestamp": "now"}"#, #"{"type": "a", "clock": 1.5}"#,
        ]
    )
    func refused(_ text: String) {
        let error = #expect(throws: ProtocolError.self) { try events(text) }
        #expect(error?.code == .invalidEvent)
    }

    @Test("is bounded, and of an accepted type")
    func bounds() {
        let nested = String(repeating: "[", count: 40) + String(repeating: "]", count: 40)
        let deep = #"{"type": "a", "x": "# + nested + "}"
        let error = #expect(throws: ProtocolError.self) { try events(deep) }
        #expect(error?.code == .nestingTooDeep)
        var properties = EventMessage.properties(hostname: "h")
        properties.contentType = "application/x-python-serialize"
        let refusal = #expect(throws: ProtocolError.self) { try EventMessage.events(properties, body: [1]) }
        #expect(refusal?.code == .contentDisallowed)
    }

    @Test("The writer writes the same bytes")
    func writer() {
        let writer = EventWriter(hostname: event.hostname, utcOffset: -2, processID: 12)
        var output: [UInt8] = []
        writer.write(event.type, clock: 7, timestamp: 1_795_234_409.25, to: &output) { output in
            EventWriter.put("uuid", "a", &output)
            EventWriter.put("result", "'gr\u{fc}n'", &output)
            EventWriter.put("runtime", .double(0.5), &output)
        }
        #expect(output == event.encoded())
    }
}
