import AMQP
import CeleryProtocol
import Testing

@Suite("Result messages")
struct ResultMessageTests {
    private func read(_ text: String, correlationID: String? = nil) throws(ProtocolError) -> ResultMessage {
        try ResultMessage(decoding: Array(text.utf8), correlationID: correlationID)
    }

    @Test("A full message is written in Celery's order")
    func written() throws {
        let message = ResultMessage(
            taskID: "i",
            state: .success,
            result: 5,
            children: [ResultTuple(id: "c").json],
            dateDone: "2026-01-01T00:00:00+00:00",
            groupID: "g",
            parentID: "p",
            extended: .init(
                name: "t",
                args: [2, 3],
                kwargs: [:],
                worker: "w@h",
                retries: 0,
                queue: "q",
                stampedHeaders: ["color"],
                stamps: ["color": "red"]
            ),
            extra: ["later": true]
        )
        let text = """
            {"status": "SUCCESS", "result": 5, "traceback": null, "children": [[["c", null], null]], \
            "date_done": "2026-01-01T00:00:00+00:00", "group_id": "g", "parent_id": "p", "name": "t", "args": [2, 3], \
            "kwargs": {}, "worker": "w@h", "retries": 0, "queue": "q", "stamped_headers": ["color"], "color": "red", \
            "later": true, "task_id": "i"}
            """
        #expect(String(decoding: message.encoded(), as: UTF8.self) == text)
        #expect(try read(text) == message)
        #expect(try message.childResults() == [ResultTuple(id: "c")])
    }

    @Test("Order does not matter, unknown entries are kept, missing ones default")
    func poor() throws {
        let message = try read(#"{"new": [1], "color": 1, "task_id": "i", "status": "PROGRESS"}"#)
        #expect(message == ResultMessage(taskID: "i", state: .custom("PROGRESS"), extra: ["new": [1], "color": 1]))
        let stamped = try read(#"{"color": 1, "stamped_headers": ["color"], "task_id": "i", "status": "STARTED"}"#)
        #expect(stamped.extended?.stamps == ["color": 1])
    }

    @Test("A stamp or an unknown entry cannot take the place of a result's own key")
    func reservedKeys() throws {
        let extended = ResultMessage.Extended(name: "t", stampedHeaders: ["status"], stamps: ["status": "red"])
        let message = ResultMessage(taskID: "i", state: .success, extended: extended, extra: ["task_id": "x"])
        let again = try ResultMessage(decoding: message.encoded())
        #expect(again.state == .success)
        #expect(again.taskID == "i")
    }

    @Test("The correlation id stands in for a missing task id")
    func correlation() throws {
        #expect(try read(#"{"status": "SUCCESS"}"#, correlationID: "c").taskID == "c")
        #expect(try read(#"{"status": "SUCCESS", "task_id": "i"}"#, correlationID: "c").taskID == "i")
        #expect(code { try read(#"{"status": "SUCCESS"}"#) } == .invalidResult)
    }

    @Test("A date of the serializer is read as its text")
    func date() throws {
        let date = #"{"__type__": "datetime", "__value__": "2026-01-01T00:00:00"}"#
        #expect(
            try read(#"{"status": "SUCCESS", "task_id": "i", "date_done": \#(date)}"#).dateDone == "2026-01-01T00:00:00"
        )
    }

    static let bad: [(String, ProtocolError.Code)] = [
        ("", .malformedJSON), ("[]", .invalidResult), ("null", .invalidResult), (#"{"task_id": "i"}"#, .invalidResult),
        (#"{"status": 1, "task_id": "i"}"#, .invalidResult), (#"{"status": null, "task_id": "i"}"#, .invalidResult),
        (#"{"status": "S", "task_id": 1}"#, .invalidResult),
        (#"{"status": "S", "task_id": "i", "children": {}}"#, .invalidResult),
        (#"{"status": "S", "task_id": "i", "traceback": []}"#, .invalidResult),
        (#"{"status": "S", "task_id": "i", "retries": "1"}"#, .invalidResult),
        (#"{"status": "S", "task_id": "i", "stamped_headers": [1]}"#, .invalidResult),
        (#"{"status": "S", "task_id": "i", "stamped_headers": "x"}"#, .invalidResult),
        (#"{"status": "S", "task_id": "i""#, .malformedJSON),
    ]

    @Test("Bad results are refused", arguments: bad)
    func refused(_ text: String, _ expected: ProtocolError.Code) {
        #expect(code { try read(text) } == expected)
    }

    @Test("Children that are no tuples are told when they are asked for")
    func badChildren() throws {
        let message = try read(#"{"status": "SUCCESS", "task_id": "i", "children": [1]}"#)
        #expect(code { try message.childResults() } == .invalidResult)
    }

    @Test("Only states with an exception have one")
    func exception() {
        let json = ExceptionInfo(type: "E").json
        #expect(ResultMessage(taskID: "i", state: .failure, result: json).exception == ExceptionInfo(type: "E"))
        #expect(ResultMessage(taskID: "i", state: .retry, result: nil).exception == nil)
        #expect(ResultMessage(taskID: "i", state: .success, result: json).exception == nil)
        #expect(ResultMessage(taskID: "i", state: .failure, result: "odd").exception == nil)
    }

    @Test("The properties decide on reading")
    func decode() throws {
        let message = ResultMessage(taskID: "i", state: .success)
        var properties = message.properties(correlationID: "c", persistent: true)
        #expect(properties.deliveryMode == 2)
        #expect(properties.correlationID == "c")
        #expect(try ResultMessage.decode(properties: properties, body: message.encoded()) == message)
        properties.contentType = nil
        let read = {
            try ResultMessage.decode(properties: properties, body: message.encoded())
        }
        #expect(code(of: read) == .undecodable)
    }
}
