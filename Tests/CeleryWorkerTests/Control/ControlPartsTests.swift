import Celery
import CeleryProtocol
import Testing

@testable import CeleryWorker

@Suite("Parts of remote control")
struct ControlPartsTests {
    private static func matches(_ pattern: String, _ name: String) throws -> Bool {
        try NodePattern(pattern, matcher: "pcre").matches(name)
    }

    /// Compared with Python's `re.match`.
    @Test(
        "Regular expressions match from the start",
        arguments: [
            ("^w[0-9]@", "w1@host", true), ("w", "w1@host", true), ("1", "w1@host", false), ("w.*t$", "w1@host", true),
            ("w.*s$", "w1@host", false), ("(w|x)1@host", "x1@host", true), ("(?:w|x)+@", "wxw@host", true),
            ("\\w+@\\w+", "w1@host", true), ("\\d", "w1@host", false), ("w\\d{1,3}@", "w123@h", true),
            ("w\\d{1,2}@", "w123@h", false), ("w\\d{2}", "w1@h", false), ("w\\d{2,}@", "w1234@h", true),
            ("w\\d{,2}@", "w@h", true), ("[^@]*@h", "w1@h", true), ("[^@]*@h", "@@h", false),
            ("[\\w.-]+@", "a.b-c@h", true),
            ("(?P<name>w\\d)@", "w1@h", true), ("", "anything", true), ("w\\b", "w1@h", false), ("w1\\b", "w1@h", true),
            ("a|", "b", true), ("x{", "x{", true), ("w1@h\\.", "w1@h.x", true), ("w?1@h", "1@h", true),
            ("(a*)*b", "aaab", true), ("[]a]+", "]a", true), ("[a-c]", "b", true), ("[a\\-c]", "-", true),
            ("w1*?@", "w11@", true), ("\\Aw", "w", true), ("w\\Z", "w", true),
            (".", "\n", false), ("\\S+\\s\\D", "a b", true),
        ]
    )
    func expressions(_ pattern: String, _ name: String, _ expected: Bool) throws {
        #expect(try Self.matches(pattern, name) == expected)
    }

    @Test(
        "What needs backtracking, or is no expression, is refused",
        arguments: ["(a", "a)", "*a", "[a", "a{3,2}", "(?=a)", "(?!a)", "(?<=a)b", "(a)\\1", "\\", "[b-a]", "a{5000}"]
    )
    func refusals(_ pattern: String) {
        let error = #expect(throws: ProtocolError.self) { try NodePattern(pattern, matcher: "pcre") }
        #expect(error?.code == .invalidControl)
    }

    @Test("No expression takes long, or much room")
    func bounds() throws {
        let long = String(repeating: "a", count: 250)
        #expect(try !Self.matches("(a+)+$b", long))
        #expect(try !Self.matches("(a|a)*(a|a)*(a|aa)*b", long))
        #expect(throws: ProtocolError.self) { try Self.matches("((a{1000}){1000}){1000}", long) }
        #expect(throws: ProtocolError.self) { try Self.matches("((((){1000}){1000}){1000}){1000}", long) }
        #expect(throws: ProtocolError.self) {
            try Self.matches(String(repeating: "(", count: 500) + String(repeating: ")", count: 500), long)
        }
    }

    @Test("A request is meant for its destinations, or else those that the pattern fits, or else all")
    func addressing() throws {
        #expect(try ControlRequest("ping").isAddressed(to: "w1@h"))
        #expect(try ControlRequest("ping", destination: []).isAddressed(to: "w1@h"))
        #expect(try ControlRequest("ping", destination: ["w2@h", "w1@h"]).isAddressed(to: "w1@h"))
        #expect(try !ControlRequest("ping", destination: ["w1"], pattern: "*", matcher: "glob").isAddressed(to: "w1@h"))
        #expect(try ControlRequest("ping", pattern: "w?@*", matcher: "glob").isAddressed(to: "w1@h"))
        #expect(try !ControlRequest("ping", pattern: "w?", matcher: "glob").isAddressed(to: "w1@h"))
        #expect(try ControlRequest("ping", pattern: "x", matcher: nil).isAddressed(to: "w1@h"))
        let unknown = ControlRequest("ping", pattern: "x", matcher: "y")
        #expect(throws: ProtocolError.self) { try unknown.isAddressed(to: "w") }
    }

    @Test("Wrong arguments are told in Python's words")
    func signatures() throws {
        let rate = ControlSignature(["task_name", "rate_limit"])
        try rate.check(["task_name": 1, "rate_limit": 2, "more": 3], of: "f")
        func text(_ signature: ControlSignature, _ arguments: JSONObject) -> String? {
            let error = #expect(throws: TaskError.self) { try signature.check(arguments, of: "f") }
            return error?.arguments.first?.stringValue
        }
        #expect(text(rate, ["task_name": 1]) == "f() missing 1 required positional argument: 'rate_limit'")
        #expect(text(rate, [:]) == "f() missing 2 required positional arguments: 'task_name' and 'rate_limit'")
        #expect(
            text(ControlSignature(["a", "b", "c"]), [:])
                == "f() missing 3 required positional arguments: 'a', 'b', and 'c'"
        )
        #expect(text(ControlSignature(takesOthers: false), ["x": 1]) == "f() got an unexpected keyword argument 'x'")
        #expect(text(.none, ["state": 1]) == "f() got multiple values for argument 'state'")
    }

    @Test("Signals are read by name and by number")
    func signals() throws {
        #expect(try SignalName.read(nil) == "SIGTERM")
        #expect(try SignalName.read("KILL") == "SIGKILL")
        #expect(try SignalName.read("SIGINT") == "SIGINT")
        #expect(try SignalName.read(9) == "SIGKILL")
        let wrong: [(JSONValue, String)] = [("term", "TypeError"), ("SIGNOPE", "AttributeError"), (999, "ValueError")]
        for (value, type) in wrong {
            let error = #expect(throws: TaskError.self) { try SignalName.read(value) }
            #expect(error?.type == type)
        }
    }

    @Test(
        "Sizes are written for people",
        arguments: [
            (52_568_064.0, "50.133MB"), (1_048_576, "1MB"), (1_536, "1.5KB"), (512, "512b"), (1_610_612_736, "1.5GB"),
        ]
    )
    func sizes(_ bytes: Double, _ text: String) {
        #expect(MemorySamples.humanText(bytes: bytes) == text)
    }

    @Test("The bounds of the autoscaler change one by one")
    func autoscale() {
        let driver = AutoscaleDriver(Autoscale(max: 4, min: 2))
        #expect(driver.update(max: 8, min: nil) == Autoscale(max: 8, min: 2))
        #expect(driver.update(max: nil, min: 3) == Autoscale(max: 8, min: 3))
        #expect(driver.decide(3, reserved: 20, hasArrivals: true) == 8)
    }
}
