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
