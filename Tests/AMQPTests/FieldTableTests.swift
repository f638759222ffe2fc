import Testing

@testable import AMQP

@Suite("FieldTable keeps its order")
struct FieldTableTests {
    @Test func replacesInPlaceAppendsAndRemoves() {
        var table: FieldTable = ["b": 1, "a": 2]
        table["b"] = 3
        table["c"] = .void
        #expect(table.fields.map(\.name) == ["b", "a", "c"])
        #expect(table["b"] == .int32(3))
        table["a"] = nil
        #expect(table.fields.map(\.name) == ["b", "c"])
        #expect(table["missing"] == nil)
    }

    @Test func lastOfRepeatedNamesCounts() {
        let table = FieldTable([.init("k", 1), .init("k", 2)])
        #expect(table["k"] == 2)
        #expect(table.count == 2)
    }

    @Test(arguments: [
        (0, FieldValue.int32(0)), (2_147_483_647, .int32(.max)), (-2_147_483_647, .int32(-2_147_483_647)),
        (-2_147_483_648, .longLong(-2_147_483_648)), (2_147_483_648, .longLong(2_147_483_648)),
    ])
    func integersTakeTheTypeThatPythonWrites(_ number: Int, _ expected: FieldValue) {
        #expect(FieldValue.integer(number) == expected)
    }

    @Test func accessorsReadEveryWidth() {
        let numbers: [FieldValue] = [
            .int8(7), .uint8(7), .int16(7), .uint16(7), .int32(7), .uint32(7), .int64(7), .longLong(7),
        ]
        #expect(numbers.allSatisfy { $0.intValue == 7 && $0.doubleValue == 7 })
        #expect(FieldValue.string("7").intValue == nil)
        #expect(FieldValue.void.isVoid)
    }
}
