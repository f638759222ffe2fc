import CeleryProtocol
import Testing

@Suite("Signatures")
struct SignatureWireTests {
    @Test("All keys go both ways, in Celery's order")
    func roundTrip() throws {
        let json: JSONValue = [
            "task": "t", "args": [1], "kwargs": ["k": 2], "options": ["queue": "q", "root_id": nil],
            "subtask_type": "chain", "immutable": true, "chord_size": 3,
        ]
        let signature = try SignatureWire(decoding: json)
        #expect(signature.subtaskType == "chain")
        #expect(signature.immutable)
        #expect(signature.extra == ["chord_size": 3])
        #expect(signature.json.serialized() == json.serialized())
    }

    @Test("Only the task is needed; nulls are as good as missing")
    func minimal() throws {
        #expect(try SignatureWire(decoding: ["task": "t"]) == SignatureWire(task: "t"))
        let nulls: JSONValue = [
            "immutable": nil, "subtask_type": nil, "options": nil, "kwargs": nil, "args": nil, "task": "t",
        ]
        #expect(try SignatureWire(decoding: nulls) == SignatureWire(task: "t"))
        #expect(
            String(decoding: SignatureWire(task: "t").json.serialized(), as: UTF8.self)
                == #"{"task": "t", "args": [], "kwargs": {}, "options": {}, "subtask_type": null, "immutable": false}"#
        )
    }

    static let bad: [JSONValue] = [
        nil, [], "t", [:], ["task": nil], ["task": 1], ["task": "t", "args": [:]], ["task": "t", "kwargs": []],
        ["task": "t", "options": 1], ["task": "t", "subtask_type": 1], ["task": "t", "immutable": 1],
    ]

    @Test("Other shapes are refused", arguments: bad)
    func refused(_ json: JSONValue) {
        #expect(code { try SignatureWire(decoding: json) } == .invalidSignature)
    }

    private let stored = SignatureWire(
        task: "t",
        args: [3],
        kwargs: ["a": 1, "b": 2],
        options: ["queue": "q", "priority": 1]
    )

    @Test("Extra arguments stand first, extra keywords and options win and keep their place")
    func applying() {
        let applied = stored.applying(
            args: [1, 2],
            kwargs: ["a": 9, "c": 3],
            options: ["queue": "other", "task_id": "i", "priority": nil]
        )
        #expect(applied.args == [1, 2, 3])
        #expect(applied.kwargs == ["a": 9, "b": 2, "c": 3])
        #expect(applied.options == ["queue": "other", "priority": 1, "task_id": "i"])
        #expect(stored.applying() == stored)
    }

    @Test("An immutable signature takes options only, unless forced")
    func immutable() {
        var signature = stored
        signature.immutable = true
        let applied = signature.applying(args: [1], kwargs: ["a": 9], options: ["queue": "other"])
        #expect(applied.args == [3])
        #expect(applied.kwargs == stored.kwargs)
        #expect(applied.options["queue"] == "other")
        let forced = signature.merging(args: [1], kwargs: ["a": 9], force: true)
        #expect(forced.args == [1, 3])
        #expect(forced.kwargs == ["a": 9, "b": 2])
    }

    @Test("What holds a workflow together stays once it is set")
    func immutableOptions() {
        var signature = stored
        let extra: JSONObject = ["group_id": "new", "stamped_headers": ["x"], "color": "blue", "x": 1]
        #expect(signature.applying(options: extra).options["group_id"] == "new")
        #expect(signature.applying(options: extra).options["stamped_headers"] == ["x"])
        signature.options["group_id"] = "old"
        signature.options["stamped_headers"] = ["color", "shape"]
        signature.options["color"] = "red"
        let options = signature.applying(options: extra).options
        #expect(options["group_id"] == "old")
        #expect(options["stamped_headers"] == ["color", "shape"])
        #expect(options["color"] == "red")
        #expect(options["x"] == 1)
        #expect(signature.applying(options: ["shape": "round"]).options["shape"] == "round")
    }

    @Test("Merging keeps nulls, applying drops them")
    func nulls() {
        #expect(stored.merging(options: ["queue": nil]).options["queue"] == .some(.null))
        #expect(stored.applying(options: ["queue": nil]).options["queue"] == "q")
    }
}
