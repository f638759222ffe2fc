import AMQP
import CeleryProtocol
import Testing

/// The messages that make Python's workers exit or loop: each throws, none traps, and the good one beside them is read.
@Suite("Received tasks")
struct ReceivedTaskTests {
    @Test("A good message is recognised, and its body read later")
    func good() throws {
        let envelope = try ReceivedTask.recognise(Samples.properties(), body: Array(Samples.body.utf8))
        #expect(envelope.form == .version2)
        #expect(envelope.utc)
        #expect(envelope.headers.task == "tasks.add")
        #expect(envelope.properties.headers == nil)
        #expect(envelope.properties.replyTo == "replies")
        #expect(try envelope.decodedBody() == TaskBody(args: [2, 3]))
        let message = try envelope.message()
        #expect(message.correlationID == "id-1")
        #expect(message.encoded().properties.headers == envelope.headers.encoded())
    }

    @Test("A broken body of protocol 2 is told when it is read, not before")
    func lateBody() throws {
        let envelope = try ReceivedTask.recognise(Samples.properties(), body: Array("[[1, 2".utf8))
        #expect(code { try envelope.decodedBody() } == .malformedJSON)
    }

    static let badBodies: [(String, ProtocolError.Code)] = [
        ("", .undecodable),
        ("[[1, 2], {}, {", .malformedJSON),
        ("{", .malformedJSON),
        ("   ", .malformedJSON),
        ("[[1], {}, {}] x", .malformedJSON),
        ("null", .notATriple),
        ("3", .notATriple),
        ("[]", .notATriple),
        (#"{"task": "x"}"#, .notATriple),
        ("{}", .notATriple),
        (#"["args", {}, {}]"#, .invalidArguments),
        (#"[[], "args", {}]"#, .invalidArguments),
        (#"[[], {}, "args"]"#, .invalidEmbed),
        (#"["args"]"#, .notATriple),
        ("[[], [], {}]", .invalidArguments),
        (#"[[{"__type__": "mystery", "__value__": 1}], {}, {}]"#, .unknownExtendedType),
        (#"[[{"__type__": "datetime", "__value__": "soon"}], {}, {}]"#, .invalidDate),
        (#"[[], {}, {"chain": "x"}]"#, .invalidEmbed),
    ]

    @Test("A bad body throws", arguments: badBodies)
    func badBody(_ body: String, _ expected: ProtocolError.Code) {
        #expect(code { try Samples.decode(body) } == expected)
    }

    @Test("200 levels of nesting throw", arguments: ["[", #"{"a": "#])
    func deep(_ opening: String) {
        let closing = opening == "[" ? "]" : "}"
        let value = String(repeating: opening, count: 200) + "1" + String(repeating: closing, count: 200)
        #expect(code { try Samples.decode("[[\(value)], {}, {}]") } == .nestingTooDeep)
        #expect(code { try Samples.decode(value) } == .nestingTooDeep)
    }

    @Test("Invalid UTF-8 throws")
    func invalidUTF8() {
        let body = Array(#"[[""#.utf8) + [0xc3, 0x28] + Array(#""], {}, {}]"#.utf8)
        let error = code {
            try TaskMessage.decode(properties: Samples.properties(), body: body)
        }
        #expect(error == .invalidUTF8)
    }

    @Test("A body above the limit throws before anything is read of it")
    func tooLarge() throws {
        var limits = JSONLimits()
        limits.maxBytes = Samples.body.utf8.count
        #expect(throws: Never.self) { try Samples.decode(Samples.body, limits: limits) }
        let error = code {
            try ReceivedTask.recognise(Samples.properties(), body: Array((Samples.body + " ").utf8), limits: limits)
        }
        #expect(error == .tooLarge)
    }

    static let contentTypes: [(String?, AcceptedContent, ProtocolError.Code?)] = [
        ("application/json", .json, nil),
        ("application/json", [], .contentDisallowed),
        (nil, .json, .undecodable),
        ("", .json, .contentDisallowed),
        ("text/plain", .json, .contentDisallowed),
        ("text/plain", ["text/plain"], .unsupportedContentType),
        ("application/data", .json, .undecodable),
        ("application/text", .json, .undecodable),
        ("application/x-python-serialize", .json, .contentDisallowed),
        ("application/x-python-serialize", ["json", "pickle"], .contentDisallowed),
        ("application/x-yaml", .json, .contentDisallowed),
        ("application/x-yaml", ["yaml"], .contentDisallowed),
        ("application/x-msgpack", ["application/x-msgpack"], .contentDisallowed),
        ("image/png", .json, .contentDisallowed),
        ("APPLICATION/JSON", .json, .contentDisallowed),
    ]

    @Test("The content type decides", arguments: contentTypes)
    func contentType(_ type: String?, _ accept: AcceptedContent, _ expected: ProtocolError.Code?) {
        for headers in [Samples.headers, FieldTable()] {
            let body = headers.isEmpty ? #"{"task": "tasks.add", "id": "1"}"# : Samples.body
            let error = code {
                try TaskMessage.decode(
                    properties: Samples.properties(headers: headers, contentType: type),
                    body: Array(body.utf8),
                    accept: accept
                )
            }
            #expect(error == expected)
        }
    }

    @Test("A pickle's error says why, and an odd content type does not reach the log")
    func contentTypeTexts() {
        func text(_ type: String, _ accept: AcceptedContent) -> String? {
            message {
                let properties = Samples.properties(contentType: type)
                return try TaskMessage.decode(properties: properties, body: Array(Samples.body.utf8), accept: accept)
            }
        }
        #expect(text("application/x-python-serialize", .json)?.contains("pickle") == true)
        #expect(text("application/x-python-serialize", ["pickle"])?.contains("code") == true)
        #expect(text("image/png", .json)?.contains("image/png") == true)
        #expect(text("evil\ntype", .json)?.contains("evil") == false)
    }

    @Test(
        "A compressed body is refused by the method's name",
        arguments: [Samples.body, #"{"args": []}"#, "\u{1}\u{2}"]
    )
    func compression(_ body: String) {
        for headers in [Samples.headers, FieldTable()] {
            var headers = headers
            headers["compression"] = "application/x-gzip"
            let properties = Samples.properties(headers: headers)
            let read = {
                try TaskMessage.decode(properties: properties, body: Array(body.utf8))
            }
            #expect(code(of: read) == .unsupportedCompression)
            #expect(message(of: read)?.contains("application/x-gzip") == true)
        }
    }

    @Test("Headers are checked on receipt", arguments: [("task", FieldValue.void), ("id", .void), ("retries", "many")])
    func headers(_ name: String, _ value: FieldValue) {
        let properties = Samples.properties(headers: Samples.headers(with: name, value))
        let error = code {
            try ReceivedTask.recognise(properties, body: Array(Samples.body.utf8))
        }
        #expect(error == (value.isVoid ? .missingHeader : .wrongHeaderType))
    }

    @Test(
        "A message without any header or task is unknown",
        arguments: ["{}", "[]", "3", Samples.body, #"{"id": "x"}"#]
    )
    func unknown(_ body: String) {
        for headers in [nil, [:], ["id": "x"]] as [FieldTable?] {
            let properties = Samples.properties(headers: headers)
            let error = code {
                try ReceivedTask.recognise(properties, body: Array(body.utf8))
            }
            #expect(error == .unknownMessage)
        }
    }

    @Test("What can be told of a message that cannot be read")
    func identity() {
        #expect(ReceivedTask.identity(of: Samples.properties()) == ("tasks.add", "id-1"))
        #expect(ReceivedTask.identity(of: Samples.properties(headers: nil)) == (nil, "id-1"))
        #expect(ReceivedTask.identity(of: BasicProperties()) == (nil, nil))
        let wrong = Samples.properties(headers: ["task": 1, "id": 2], correlationID: nil)
        #expect(ReceivedTask.identity(of: wrong) == (nil, nil))
    }

    @Test("No error quotes the payload")
    func noPayload() {
        let bodies = [
            #"[["hunter2"], {}, {"chain": "hunter2"}]"#, #"["hunter2", {}, {}]"#, #""hunter2""#,
            #"[[{"__type__": "hunter2", "__value__": 1}], {}, {}]"#, #"[["hunter2" "#,
        ]
        for body in bodies {
            #expect(message { try Samples.decode(body) }?.contains("hunter2") == false)
        }
    }
}
