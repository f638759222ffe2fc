import Celery
import CeleryProtocol
import Testing

@testable import CeleryWorker

@Suite("ArgumentBinding")
struct ArgumentBindingTests {
    private func slot(_ name: String?, default value: JSONValue? = nil) -> ArgumentBinding.Slot {
        ArgumentBinding.Slot(name: name, isOptional: value != nil, defaultValue: value)
    }

    private func message(_ binding: ArgumentBinding, _ args: [JSONValue], _ kwargs: JSONObject = [:]) -> String? {
        do {
            _ = try binding.bind(args, kwargs)
            return nil
        } catch {
            #expect(error.type == "TypeError")
            #expect(error.module == "builtins")
            return error.arguments.first?.stringValue
        }
    }

    @Test("binds positions, keywords and defaults as Python does")
    func binds() throws {
        let binding = ArgumentBinding(taskName: "proj.f", slots: [slot("a"), slot("b"), slot("c", default: 9)])

        #expect(try binding.bind([1, 2, 3], [:]) == [1, 2, 3])
        #expect(try binding.bind([1], ["b": 2]) == [1, 2, 9])
        #expect(try binding.bind([], ["c": 3, "a": 1, "b": 2]) == [1, 2, 3])
    }

    @Test("leaves an optional argument without a default absent")
    func absent() throws {
        let optional = ArgumentBinding.Slot(name: "b", isOptional: true, defaultValue: nil)
        let binding = ArgumentBinding(taskName: "f", slots: [slot("a"), optional])

        #expect(try binding.bind([1], [:]) == [1, nil])
    }

    @Test("complains in Python's words")
    func complains() {
        let binding = ArgumentBinding(taskName: "proj.add", slots: [slot("x"), slot("y")])

        #expect(message(binding, [1]) == "add() missing 1 required positional argument: 'y'")
        #expect(message(binding, []) == "add() missing 2 required positional arguments: 'x' and 'y'")
        #expect(message(binding, [1, 2, 3]) == "add() takes 2 positional arguments but 3 were given")
        #expect(message(binding, [1, 2], ["z": 3]) == "add() got an unexpected keyword argument 'z'")
        #expect(message(binding, [1, 2], ["x": 3]) == "add() got multiple values for argument 'x'")
    }

    @Test("counts as Python does where there are defaults, one parameter or none")
    func countsLikePython() {
        let defaults = ArgumentBinding(taskName: "f", slots: [slot("a"), slot("b", default: 0)])
        let single = ArgumentBinding(taskName: "f", slots: [slot("a")])
        let none = ArgumentBinding(taskName: "f", slots: [])
        let three = ArgumentBinding(taskName: "f", slots: [slot("a"), slot("b"), slot("c")])

        #expect(message(defaults, [1, 2, 3]) == "f() takes from 1 to 2 positional arguments but 3 were given")
        #expect(message(single, [1, 2]) == "f() takes 1 positional argument but 2 were given")
        #expect(message(none, [1]) == "f() takes 0 positional arguments but 1 was given")
        #expect(message(three, []) == "f() missing 3 required positional arguments: 'a', 'b', and 'c'")
    }

    @Test("takes no keyword for a parameter without a name")
    func positionalOnly() {
        let binding = ArgumentBinding(taskName: "add", slots: [slot(nil), slot(nil)])

        #expect(message(binding, [1], ["y": 2]) == "add() got an unexpected keyword argument 'y'")
        #expect(message(binding, [1]) == "add() missing 1 required positional argument: 'arg2'")
    }
}

@Suite("PackBinder")
struct PackBinderTests {
    @Test("decodes positions, keywords, defaults and optionals")
    func decodes() throws {
        let binder = PackBinder<Int, String, Double?>(
            taskName: "f",
            parameters: ["a", Parameter("b", default: "x"), "c"]
        )

        let plain = try binder.bind([1, "y", 2.5], [:])
        #expect(plain == (1, "y", 2.5))
        let short = try binder.bind([1], [:])
        #expect(short == (1, "x", nil))
        let keyed = try binder.bind([], ["c": 3, "a": 1])
        #expect(keyed == (1, "x", 3))
    }

    @Test("names the argument and the type that does not fit")
    func wrongType() {
        let binder = PackBinder<Int, [Int]>(taskName: "proj.f", parameters: ["a", "b"])

        let scalar = #expect(throws: TaskError.self) { _ = try binder.bind(["text", []], [:]) }
        #expect(scalar?.arguments == ["f() argument 'a' must be Int, not str"])
        let nested = #expect(throws: TaskError.self) { _ = try binder.bind([1, [1, "two"]], [:]) }
        #expect(
            nested?.arguments.first?.stringValue?.hasPrefix("f() argument 'b' must be Array<Int>, not list (at") == true
        )
    }
}

@Suite("StructBinder")
struct StructBinderTests {
    struct Resize: Codable, Sendable, Hashable {
        var url: String
        var width: Int?
        var tags: [String]?
    }

    enum Mode: String, Codable, Sendable {
        case fast
    }

    struct WithEnum: Codable, Sendable {
        var url: String
        var mode: Mode
        var depth: Int
    }

    @Test("finds the properties and their order")
    func probes() {
        let probe = ParameterProbe(Resize.self)

        #expect(probe.isComplete)
        #expect(probe.properties.map(\.name) == ["url", "width", "tags"])
        #expect(probe.properties.map(\.isOptional) == [false, true, true])
        #expect(!ParameterProbe(WithEnum.self).isComplete)
    }

    @Test("takes positions and keywords")
    func binds() throws {
        let binder = StructBinder<Resize>(taskName: "proj.resize")

        #expect(try binder.bind(["a", 3], [:]) == Resize(url: "a", width: 3, tags: nil))
        #expect(try binder.bind([], ["width": 3, "url": "a"]) == Resize(url: "a", width: 3, tags: nil))
        #expect(try binder.bind(["a"], ["tags": ["x"]]) == Resize(url: "a", width: nil, tags: ["x"]))
    }

    @Test("complains in Python's words")
    func complains() {
        let binder = StructBinder<Resize>(taskName: "proj.resize")

        let missing = #expect(throws: TaskError.self) { _ = try binder.bind([], [:]) }
        #expect(missing?.arguments == ["resize() missing 1 required positional argument: 'url'"])
        let unknown = #expect(throws: TaskError.self) { _ = try binder.bind(["a"], ["z": 1]) }
        #expect(unknown?.arguments == ["resize() got an unexpected keyword argument 'z'"])
        let mistyped = #expect(throws: TaskError.self) { _ = try binder.bind(["a"], ["width": "wide"]) }
        #expect(mistyped?.arguments == ["resize() argument 'width' must be Int, not str"])
    }

    @Test("understands keywords where the order cannot be found")
    func opaqueStruct() throws {
        let binder = StructBinder<WithEnum>(taskName: "f")

        #expect(try binder.bind([], ["url": "a", "mode": "fast", "depth": 1]).mode == .fast)
        let missing = #expect(throws: TaskError.self) { _ = try binder.bind([], ["url": "a", "mode": "fast"]) }
        #expect(missing?.arguments == ["f() missing 1 required positional argument: 'depth'"])
    }
}
