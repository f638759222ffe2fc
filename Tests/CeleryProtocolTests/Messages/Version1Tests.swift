import AMQP
import CeleryProtocol
import Testing

@Suite("Protocol 1 and hybrids")
struct Version1Tests {
    private func recognise(_ body: String, headers: FieldTable? = [:], correlationID: String? = "corr")
        throws(ProtocolError)
        -> TaskEnvelope
    {
        let properties = Samples.properties(headers: headers, correlationID: correlationID)
        return try ReceivedTask.recognise(properties, body: Array(body.utf8))
    }

    @Test("Everything that protocol 1 says is read")
    func full() throws {
        let envelope = try recognise(
            """
            {"task": "t", "id": "i", "args": [1, "x"], "kwargs": {"k": null}, "group": "old", "group_index": 2,
            "retries": 3, "eta": "2099-01-01T00:00:00", "expires": null, "utc": false, "callbacks": [{"task": "c"}],
            "errbacks": [{"task": "e"}], "timelimit": [60, 45.5], "taskset": "new", "chord": {"task": "b"}, "odd": 1}
            """,
            headers: ["x": 1]
        )
        let headers = envelope.headers
        #expect(envelope.form == .version1)
        #expect(!envelope.utc)
        #expect(headers.task == "t")
        #expect(headers.id == "i")
        #expect(headers.group == "new")
        #expect(headers.groupIndex == 2)
        #expect(headers.retries == 3)
        #expect(headers.eta == "2099-01-01T00:00:00")
        #expect(headers.hardLimit == .integer(60))
        #expect(headers.softLimit == .float(45.5))
        #expect(headers.argsrepr == "(1, 'x')")
        #expect(headers.kwargsrepr == "{'k': None}")
        #expect(headers.custom == ["x": 1])
        let body = try envelope.decodedBody()
        #expect(body.args == [1, "x"])
        #expect(body.kwargs == ["k": nil])
        #expect(body.embed.callbacks == [["task": "c"]])
        #expect(body.embed.errbacks == [["task": "e"]])
        #expect(body.embed.chord == ["task": "b"])
        #expect(body.embed.chain == nil)
        #expect(body.embed.extra == ["odd": 1])
    }

    @Test("Missing arguments are empty, a missing id is the correlation id")
    func minimal() throws {
        let envelope = try recognise(#"{"task": "t"}"#)
        #expect(envelope.headers.id == "corr")
        #expect(envelope.utc)
        #expect(try envelope.decodedBody() == TaskBody())
        #expect(code { try recognise(#"{"task": "t"}"#, correlationID: nil) } == .missingHeader)
    }

    @Test("A null taskset takes the group away, as in Celery")
    func taskset() throws {
        #expect(try recognise(#"{"task": "t", "group": "g", "taskset": null}"#).headers.group == nil)
        #expect(try recognise(#"{"task": "t", "group": "g"}"#).headers.group == "g")
    }

    @Test("A date of the serializer is read as its text")
    func date() throws {
        let body = #"{"task": "t", "eta": {"__type__": "datetime", "__value__": "2099-01-01T00:00:00+00:00"}}"#
        #expect(try recognise(body).headers.eta == "2099-01-01T00:00:00+00:00")
    }

    static let bad: [(String, ProtocolError.Code)] = [
        (#"{"task": "t", "kwargs": []}"#, .invalidArguments),
        (#"{"task": "t", "kwargs": null}"#, .invalidArguments),
        (#"{"task": "t", "args": {}}"#, .invalidArguments),
        (#"{"task": "t", "callbacks": "x"}"#, .invalidEmbed),
        (#"{"task": 1}"#, .wrongHeaderType),
        (#"{"task": null}"#, .missingHeader),
        (#"{"task": "t", "id": 5}"#, .wrongHeaderType),
        (#"{"task": "t", "retries": "5"}"#, .wrongHeaderType),
        (#"{"task": "t", "retries": 99999999999999999999999}"#, .wrongHeaderType),
        (#"{"task": "t", "timelimit": [NaN, null]}"#, .wrongHeaderType),
        (#"{"task": "t", "eta": {"a": [1, {"b": 2}]}}"#, .wrongHeaderType),
        (
            #"{"task": "t", "group": {"__type__": "uuid", "__value__": {"hex": "12345678123456781234567812345678"}}}"#,
            .wrongHeaderType
        ),
        (#"{"task": "t", "taskset": 1}"#, .wrongHeaderType),
        (#"{"task": "t""#, .malformedJSON),
    ]

    @Test("A wrong type is refused", arguments: bad)
    func wrongType(_ body: String, _ expected: ProtocolError.Code) {
        #expect(code { try recognise(body) } == expected)
    }

    @Test("A hybrid: the body's entries are defaults, the headers win, with nulls too")
    func hybrid() throws {
        let envelope = try recognise(
            """
             {"task": "from.body", "id": "body-id", "args": [1], "kwargs": {"k": 2}, "retries": 3, "eta": "2099-01-01",
            "expires": "2099-01-02", "shadow": "s", "utc": true, "callbacks": [{"task": "c"}], "argsrepr": "(1,)"}
            """,
            headers: ["task": "from.header", "id": "header-id", "eta": .void, "x": "y"]
        )
        #expect(envelope.form == .hybrid)
        #expect(envelope.headers.task == "from.header")
        #expect(envelope.headers.id == "header-id")
        #expect(envelope.headers.retries == 3)
        #expect(envelope.headers.eta == nil)
        #expect(envelope.headers.expires == "2099-01-02")
        #expect(envelope.headers.shadow == "s")
        #expect(envelope.headers.argsrepr == "(1,)")
        #expect(envelope.headers.custom == ["x": "y"])
        let body = try envelope.decodedBody()
        #expect(body.args == [1])
        #expect(body.kwargs == ["k": 2])
        #expect(body.embed == Embed(callbacks: [["task": "c"]]))
    }

    @Test("A hybrid takes a missing id from its body, and needs args to be one")
    func hybridEdges() throws {
        #expect(try recognise(#"{"id": "i", "args": []}"#, headers: ["task": "t"]).headers.id == "i")
        let bad: [(String, ProtocolError.Code)] = [
            (#"{"args": []}"#, .missingHeader),
            (#"{"id": "i", "kwargs": {}}"#, .notATriple),
            (#"{"id": "i", "args": [], "kwargs": []}"#, .invalidArguments),
            (#"{"id": "i", "args": 1}"#, .invalidArguments),
            (#"{"args": ["#, .malformedJSON),
        ]
        for (body, expected) in bad {
            #expect(code { try recognise(body, headers: ["task": "t"]) } == expected)
        }
    }

    @Test("A task of protocol 1 goes on in protocol 2")
    func rewritten() throws {
        let message = try recognise(#"{"task": "t", "id": "i", "args": [1], "retries": 1}"#, headers: ["x": 1])
            .message()
        let (properties, body) = message.encoded()
        let again = try TaskMessage.decode(properties: properties, body: body)
        #expect(again == message)
        #expect(properties.headers?["retries"] == .int32(1))
    }
}
