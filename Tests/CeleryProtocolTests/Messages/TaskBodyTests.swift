import CeleryProtocol
import Testing

@Suite("Task body")
struct TaskBodyTests {
    @Test("A plain body is written as Celery writes it")
    func written() {
        let body = TaskBody(args: [2, 3.0], kwargs: ["ü": nil])
        #expect(
            String(decoding: body.encoded(), as: UTF8.self)
                == #"[[2, 3.0], {"\u00fc": null}, {"callbacks": null, "errbacks": null, "chain": null, "chord": null}]"#
        )
    }

    @Test("Entries of the embed come in Celery's order, unknown ones behind")
    func embedOrder() throws {
        let text =
            #"[[], {}, {"x": 1, "chain": [], "chord": {"task": "b"}, "errbacks": null, "callbacks": [{"task": "a"}]}]"#
        let body = try TaskBody(decoding: Array(text.utf8))
        #expect(body.embed.chain == [])
        #expect(body.embed.callbacks == [["task": "a"]])
        #expect(body.embed.chord == ["task": "b"])
        #expect(body.embed.extra == ["x": 1])
        #expect(
            String(decoding: body.encoded(), as: UTF8.self)
                == #"[[], {}, {"callbacks": [{"task": "a"}], "errbacks": null, "chain": [], "chord": {"task": "b"}, "x": 1}]"#
        )
    }

    @Test("The embed may be null or incomplete", arguments: ["null", "{}", #"{"chord": null}"#])
    func poorEmbed(_ embed: String) throws {
        #expect(try TaskBody(decoding: Array("[[], {}, \(embed)]".utf8)) == TaskBody())
    }

    @Test(
        "What is not a list of three is refused",
        arguments: ["null", "1", #""args""#, "{}", "[]", "[[], {}]", "[[], {}, {}, {}]", "true", "NaN"]
    )
    func notATriple(_ text: String) {
        #expect(code { try TaskBody(decoding: Array(text.utf8)) } == .notATriple)
    }

    @Test(
        "Arguments of a wrong shape are refused",
        arguments: [
            "[{}, {}, {}]", "[null, {}, {}]", #"["args", {}, {}]"#, "[[], [], {}]", "[[], null, {}]", "[[], 1, {}]",
        ]
    )
    func wrongArguments(_ text: String) {
        #expect(code { try TaskBody(decoding: Array(text.utf8)) } == .invalidArguments)
    }

    @Test(
        "Garbage in the embed is refused",
        arguments: [
            "1", "[]", #""x""#, #"{"callbacks": {}}"#, #"{"callbacks": [1]}"#, #"{"errbacks": "x"}"#,
            #"{"chain": [null]}"#, #"{"chain": {"task": "a"}}"#, #"{"chord": [{}]}"#, #"{"chord": 1}"#,
        ]
    )
    func wrongEmbed(_ embed: String) {
        let text = "[[], {}, \(embed)]"
        #expect(code { try TaskBody(decoding: Array(text.utf8)) } == .invalidEmbed)
    }
}
