import AMQPValues
import CeleryProtocol
import Testing

/// Requests and replies of remote control: what strangers may send is bounded, and read strictly.
@Suite("Messages of remote control")
struct ControlMessageTests {
    private static func properties(headers: FieldTable = [:]) -> BasicProperties {
        var properties = BasicProperties()
        properties.contentType = "application/json"
        properties.contentEncoding = "utf-8"
        properties.headers = headers
        return properties
    }

    private static func request(_ json: JSONValue, headers: FieldTable = [:]) throws(ProtocolError) -> ControlRequest {
        try ControlRequest(decoding: properties(headers: headers), body: json.serialized())
    }

    @Test("A request without a reply has neither ticket nor address, and an integer for its expiry")
    func withoutReply() throws {
        let request = ControlRequest("ping", clock: 7)
        let text = String(decoding: request.encodedBody(), as: UTF8.self)
        #expect(text == #"{"method": "ping", "arguments": {}, "destination": null, "pattern": null, "matcher": null}"#)
        #expect(request.properties().headers == ["clock": 7, "expires": 0])
        #expect(request.properties().deliveryMode == 2)
        let read = try ControlRequest(decoding: request.properties(), body: request.encodedBody())
        #expect(read == request)
    }

    @Test("What is missing has Celery's defaults, and what is unknown is passed over")
    func defaults() throws {
        let request = try Self.request(["method": "ping", "reply_to": [:], "later": 1])
        #expect(request == ControlRequest("ping"))
    }

    @Test(
        "Entries of a wrong type are refused",
        arguments: [
            [], ["arguments": [:]], ["method": 1], ["method": "a", "arguments": [1]],
            ["method": "a", "destination": "w1@host"], ["method": "a", "destination": [1]],
            ["method": "a", "pattern": 1], ["method": "a", "matcher": []], ["method": "a", "ticket": 5],
            ["method": "a", "reply_to": "queue"], ["method": "a", "reply_to": ["exchange": "x"]],
            ["method": "a", "reply_to": ["exchange": 1, "routing_key": "k"]],
        ] as [JSONValue]
    )
    func wrongTypes(_ json: JSONValue) {
        let error = #expect(throws: ProtocolError.self) { try Self.request(json) }
        #expect(error?.code == .invalidControl)
    }

    @Test("Long names, deep arguments and large bodies are refused")
    func bounds() {
        let long = String(repeating: "x", count: 2_000)
        #expect(throws: ProtocolError.self) { try Self.request(["method": .string(long)]) }
        #expect(throws: ProtocolError.self) { try Self.request(["method": "a", "pattern": .string(long)]) }
        var deep: JSONValue = []
        for _ in 0..<100 { deep = [deep] }
        let depth = #expect(throws: ProtocolError.self) {
            try Self.request(["method": "a", "arguments": ["deep": deep]])
        }
        #expect(depth?.code == .nestingTooDeep)
        let size = #expect(throws: ProtocolError.self) {
            try ControlRequest(
                decoding: Self.properties(),
                body: JSONValue.object(["method": "ping"]).serialized(),
                limits: JSONLimits(maxBytes: 8)
            )
        }
        #expect(size?.code == .tooLarge)
    }

    @Test("Only accepted content is read")
    func content() {
        var properties = Self.properties()
        properties.contentType = "application/x-python-serialize"
        let error = #expect(throws: ProtocolError.self) { try ControlRequest(decoding: properties, body: [0x80]) }
        #expect(error?.code == .contentDisallowed)
    }

    @Test("A clock that is no number counts as none")
    func clock() throws {
        #expect(try Self.request(["method": "ping"], headers: ["clock": "late", "expires": "now"]).clock == 0)
        #expect(try Self.request(["method": "ping"], headers: ["clock": 12]).clock == 12)
        #expect(try Self.request(["method": "ping"], headers: ["expires": .double(5.5)]).expires == 5.5)
    }

    @Test("A reply is a map of one node", arguments: [[:], ["a": 1, "b": 2], []] as [JSONValue])
    func replies(_ json: JSONValue) {
        let error = #expect(throws: ProtocolError.self) {
            try ControlReply(decoding: Self.properties(), body: json.serialized())
        }
        #expect(error?.code == .invalidControl)
    }
}
