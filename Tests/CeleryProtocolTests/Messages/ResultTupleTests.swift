import CeleryProtocol
import Testing

@Suite("Result tuples")
struct ResultTupleTests {
    @Test("Tasks, groups and parents go both ways")
    func roundTrip() throws {
        let json: JSONValue = [
            ["g", [["p", [["root", nil], nil]], nil]],
            [[["a", nil], nil], [["inner", nil], [[["b", nil], nil]]]],
        ]
        let tuple = try ResultTuple(decoding: json)
        #expect(tuple.id == "g")
        #expect(tuple.parent?.parent?.id == "root")
        #expect(tuple.members?.map(\.id) == ["a", "inner"])
        #expect(tuple.members?.first?.members == nil)
        #expect(tuple.json == json)
    }

    @Test("A bare id is read")
    func bareID() throws {
        #expect(try ResultTuple(decoding: ["a", nil]) == ResultTuple(id: "a"))
    }

    @Test("An empty group is no task")
    func emptyGroup() throws {
        #expect(ResultTuple(id: "g", members: []).json == [["g", nil], []])
        #expect(try ResultTuple(decoding: [["g", nil], []]).members == [])
    }

    static let bad: [JSONValue] = [
        nil, "a", [], ["a"], [["a"], nil], [[1, nil], nil], [["a", "p"], nil], [["a", nil], "x"], [["a", nil], [1]],
        [["a", nil], nil, nil], [nil, nil],
    ]

    @Test("Other shapes are refused", arguments: bad)
    func refused(_ json: JSONValue) {
        #expect(code { try ResultTuple(decoding: json) } == .invalidResult)
    }

    @Test("Depth is bounded")
    func deep() {
        var json: JSONValue = [["a", nil], nil]
        for _ in 0..<600 { json = [["a", json], nil] }
        #expect(code { try ResultTuple(decoding: json) } == .nestingTooDeep)
    }
}
