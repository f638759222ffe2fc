import CeleryProtocol
import Testing

@Suite("Exceptions")
struct ExceptionInfoTests {
    @Test("The map goes both ways")
    func roundTrip() throws {
        let json: JSONValue = ["exc_type": "Outer.Inner", "exc_message": ["nested", 42], "exc_module": "app"]
        let exception = try ExceptionInfo(decoding: json)
        #expect(exception == ExceptionInfo(type: "Outer.Inner", module: "app", arguments: ["nested", 42]))
        #expect(exception.json.serialized() == json.serialized())
        #expect(exception.pythonRepr == "Inner('nested', 42)")
        #expect(exception.message == "('nested', 42)")
    }

    /// What CPython prints for these.
    static let literals: [(JSONValue, String)] = [
        ("it's", #""it's""#), ("a\"b'c", #"'a"b\'c'"#), ("\r\\\n\t\0", #"'\r\\\n\t\x00'"#),
        ("\u{A0}x\u{200B}\u{E000}\u{E0001}\u{7F} é😀", #"'\xa0x\u200b\ue000\U000e0001\x7f é😀'"#),
        ([1, nil, [true, 1e16, "x"], [:]], "[1, None, [True, 1e+16, 'x'], {}]"),
        (["k'": ["a": -0.5]], #"{"k'": {'a': -0.5}}"#),
        (.string(String(repeating: "x", count: 5000)), "'\(String(repeating: "x", count: 5000))'"),
    ]

    @Test("Arguments are shown by Python's own rules, and in full", arguments: literals)
    func pythonText(value: JSONValue, text: String) {
        #expect(ExceptionInfo(type: "E", module: "app", arguments: [value]).pythonRepr == "E(\(text))")
    }

    @Test("Celery's exceptions with a text of their own")
    func celeryTexts() {
        func text(_ type: String, _ arguments: [JSONValue]) -> String {
            ExceptionInfo(type: type, module: "celery.exceptions", arguments: arguments).pythonRepr
        }
        #expect(text("Reject", ["no", true]) == "reject requeue=True: no")
        #expect(text("Reject", [7]) == "reject requeue=False: 7")
        #expect(text("Reject", []) == "Reject()")
        #expect(
            text("NotRegistered", ["a.b"]) == "Task of kind 'a.b' never registered; please make sure it's imported."
        )
        #expect(text("ChordError", ["a"]) == "ChordError('a')")
    }

    @Test("A message that is no list is the only argument")
    func oldForms() throws {
        func read(_ json: JSONValue) throws -> ExceptionInfo { try ExceptionInfo(decoding: json) }
        #expect(try read(["exc_type": "E", "exc_message": "boom"]).arguments == ["boom"])
        #expect(try read(["exc_type": "E", "exc_message": "boom"]).pythonRepr == "E('boom')")
        #expect(try read(["exc_type": "E", "exc_message": ["k": 1]]).arguments == [["k": 1]])
        #expect(try read(["exc_type": "E"]) == ExceptionInfo(type: "E"))
        #expect(try read(["exc_type": "E", "exc_message": nil, "exc_module": nil]).pythonRepr == "E()")
        #expect(try read(["exc_type": "E", "exc_message": [7]]).message == "7")
        #expect(try read(["exc_type": "E."]).pythonRepr == "()")
    }

    static let bad: [JSONValue] = [
        nil, "boom", [], [:], ["exc_message": ["x"]], ["exc_type": 1], ["exc_type": "E", "exc_module": 1],
    ]

    @Test("What is no such map is refused", arguments: bad)
    func refused(_ json: JSONValue) {
        #expect(code { try ExceptionInfo(decoding: json) } == .invalidResult)
    }
}
