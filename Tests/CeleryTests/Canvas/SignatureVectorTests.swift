import CeleryProtocol
import FoundationEssentials
import Testing

@testable import Celery

@Suite("Canvas: the signatures are those that Celery makes")
struct SignatureVectorTests {
    /// `Vectors/canvas.json`, written by `Vectors/generate.py` with Celery itself.
    private static func vectors() throws -> JSONObject {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Vectors/canvas.json")
        return try #require(JSONValue(parsing: Array(Data(contentsOf: file))).objectValue)
    }

    @Test func allOfThem() throws {
        let vectors = try Self.vectors()
        let made = Self.plain.merging(Self.workflows) { $1 }.merging(Self.stamped) { $1 }
        #expect(Set(vectors.keys) == Set(made.keys))
        for (name, signature) in made {
            let vector = try #require(vectors[name])
            #expect(signature.encodingError == nil)
            #expect(Self.normal(signature.json) == Self.normal(vector), "\(name)")
        }
    }

    @Test func whatPythonWritesIsReadAndWrittenAgain() throws {
        for (name, vector) in try Self.vectors() {
            #expect(try Signature(decoding: vector).json == vector, "\(name)")
        }
    }

    /// Python's maps have no order, its stamps none either, and a chain of one chord is that chord.
    static func normal(_ json: JSONValue) -> JSONValue {
        switch json {
        case .object(let entries):
            if entries["subtask_type"] == "chain", let tasks = entries["kwargs"]?["tasks"]?.arrayValue,
                tasks.count == 1,
                tasks[0]["subtask_type"] == "chord"
            {
                return normal(tasks[0])
            }
            var sorted: JSONObject = [:]
            for key in entries.keys.sorted() {
                let value = entries[key] ?? .null
                sorted[key] = key == "stamped_headers" ? names(value) : normal(value)
            }
            return .object(sorted)
        case .array(let elements): return .array(elements.map(normal))
        default: return json
        }
    }

    private static func names(_ json: JSONValue) -> JSONValue {
        .array((json.arrayValue ?? []).compactMap { $0.stringValue }.sorted().map(JSONValue.string))
    }
}

/// The names of the vectors' application.
private enum Known {
    static let add = TaskName("tasks.add", Int.self, Int.self, returning: Int.self)
    static let mul = TaskName("tasks.mul", Int.self, Int.self, returning: Int.self)
    static let sum = TaskName("tasks.xsum", [Int].self, returning: Int.self)
}

extension SignatureVectorTests {
    private static func add(_ args: JSONValue...) -> Signature { Signature("tasks.add", args: args) }
    private static func mul(_ args: JSONValue...) -> Signature { Signature("tasks.mul", args: args) }
    private static let sum = Signature("tasks.xsum")
    private static let errback = Signature("tasks.err")
    private static let pair = [Known.add(1, 1), Known.add(2, 2)]
    private static var pairs: Group<Int> { Group(pair) }
    /// A group of partial calls, whose first argument comes from the left.
    private static var multiplied: Group<Int> {
        Group([TaskCall<Int>(mul(3)), TaskCall<Int>(mul(4))])
    }

    fileprivate static var plain: [String: Signature] {
        [
            "task": Known.add(1, 2).signature,
            "partial": add(2).clone(args: [1], kwargs: ["k": 3]),
            "immutable": Known.add(1, 2).immutable().signature.clone(args: [9], options: TaskOptions(priority: 3)),
            "set": add(1, 2).set(["queue": "q", "priority": 3, "countdown": 5]),
            "link": Known.add(1, 2).link(mul(3)).onError(errback).signature,
            "link_twice": Known.add(1, 2).link(mul(3)).link(mul(3)).signature,
            "map": Map(Known.sum, [[1, 2], [3, 4]]).signature,
            "starmap": Starmap(Known.add, [(1, 2), (3, 4)]).signature,
            "chunks": Chunks(Known.add, [(1, 1), (2, 2), (3, 3)], of: 2).signature,
            "chunks_group": (try? Chunks(add(), [[1, 1], [2, 2], [3, 3]], of: 2).group().signature) ?? add(),
        ]
    }

    fileprivate static var workflows: [String: Signature] {
        let nested = Chain([mul(3), mul(4)]).link(add(9)).onError(errback).signature
        let twos = Group([TaskCall<Int>(mul(2)), TaskCall<Int>(mul(3))])
        let chord = Chord(pair, then: Known.sum)
        let inner = Chord(pair, then: Known.sum).signature
        return [
            "chain": Known.add(1, 2).then(Known.mul, 3).signature,
            "chain_nested": Chain([add(1, 2), Chain([mul(3), Chain([mul(4), add(5)]).signature]).signature]).signature,
            "chain_nested_links": Chain([add(1, 2), nested, mul(5)]).signature,
            "chain_link": Known.add(1, 2).then(Known.mul, 3).link(add(1)).onError(errback).signature,
            "chain_one_member": Chain([add(1, 2), Group([mul(3)]).signature, mul(4)]).signature,
            "chain_empty_group": Chain([add(1, 2), Group<JSONValue>().signature, mul(4)]).signature,
            "chain_to_group": Known.add(1, 2).then(multiplied).signature,
            "group": pairs.signature,
            "group_link_error": pairs.onError(errback).signature,
            "group_link": pairs.link(add(7)).signature,
            "group_then": pairs.then(Known.sum).signature,
            "group_then_two": pairs.then(Known.sum).then(Known.mul, 2).signature,
            "task_group_then_group": Chain([add(1, 2), pairs.signature, sum, twos.signature]).signature,
            "group_then_group_then": Chain([pairs.signature, sum, twos.signature, sum, mul(4)]).signature,
            "task_group_then": Chain([add(1, 2), multiplied.signature, sum, mul(5)]).signature,
            "chord": chord.signature,
            "chord_then": chord.then(Known.mul, 2).then(Known.mul, 3).signature,
            "chord_chain_body": Chord(pairs, then: Chain(TaskCall<Int>(sum)).then(Known.mul, 2)).signature,
            "chord_links": chord.link(mul(2)).onError(errback).signature,
            "chord_nested_errback": Chord([inner, add(3, 3)], then: sum).onError(errback).signature,
            "chord_of_chains": Chord([Chain([add(1, 1), mul(2)]).signature, add(2, 2)], then: sum).signature,
            "task_then_chord": Known.add(1, 2).then(Chord(multiplied, then: Known.sum)).then(Known.mul, 5).signature,
        ]
    }

    fileprivate static var stamped: [String: Signature] {
        let once = add(1, 2).stamp(["stamp": "one", "many": ["a"]])
        let linked = Known.add(1, 2).link(mul(3)).onError(errback)
        let chain = Known.add(1, 2).then(Known.mul, 3)
        let chord = Chord(pair, then: Known.sum)
        let nested = Chain([add(1, 2), Group([mul(3), Chain([mul(4), add(5)]).signature]).signature])
        let marker = Marker()
        return [
            "stamp": Known.add(1, 2).stamp(["a": "1", "b": ["2", "3"]]).signature,
            "stamp_twice": once.stamp(["stamp": "two", "many": ["b"]]),
            "stamp_appended": once.stamp(["stamp": "two", "many": ["b"]], append: true),
            "stamp_chain": chain.stamp(["a": "1"]).signature,
            "stamp_chord": chord.stamp(["a": "1"]).signature,
            "stamp_links": linked.stamp(["a": "1"]).signature,
            "visit": Known.add(1, 2).stamp(visitor: marker).signature,
            "visit_links": linked.stamp(visitor: marker).signature,
            "visit_chain": chain.stamp(visitor: marker).signature,
            "visit_group": pairs.stamp(visitor: marker).signature,
            "visit_chord": chord.stamp(visitor: marker).signature,
            "visit_nested": nested.stamp(visitor: marker).signature,
            "visit_appended": add(1, 2).stamp(["mark": "mine"]).stamp(visitor: marker, append: true),
        ]
    }
}

/// The visitor of `Vectors/generate.py`.
private struct Marker: StampingVisitor {
    func onSignature(_ signature: Signature, _ stamps: JSONObject) -> JSONObject {
        ["mark": .string("sig-\(signature.task)"), "stamped_headers": ["mark"]]
    }

    func onGroupStart(_ group: Signature, _ stamps: JSONObject) -> JSONObject {
        ["in_group": true, "stamped_headers": ["in_group"]]
    }

    func onChainStart(_ chain: Signature, _ stamps: JSONObject) -> JSONObject { ["in_chain": 1] }

    func onChordBody(_ chord: Signature, _ stamps: JSONObject) -> JSONObject { ["in_body": "yes"] }

    func onCallback(_ callback: Signature, _ stamps: JSONObject) -> JSONObject { ["callback": true] }

    func onErrback(_ errback: Signature, _ stamps: JSONObject) -> JSONObject { ["errback": true] }
}
