import CeleryProtocol
import FoundationEssentials
import Testing

@Suite struct JSONValueEncoderTests {
    private let encoder = JSONValueEncoder()

    @Test func scalars() throws {
        #expect(try encoder.encode(3) == .int(3))
        #expect(try encoder.encode(3.0) == .double(3))
        #expect(try encoder.encode("x") == .string("x"))
        #expect(try encoder.encode(true) == .bool(true))
        #expect(try encoder.encode(UInt8(7)) == .int(7))
        #expect(try encoder.encode(Int?.none) == .null)
        #expect(try encoder.encode(Int?.some(1)) == .int(1))
        #expect(try encoder.encode(Float(0.1)) == .double(0.1))
        #expect(try encoder.encode(Colour.green) == "green")
    }

    @Test func integersBeyond64BitsKeepTheirDigits() throws {
        #expect(try encoder.encode(UInt64.max) == .bigInteger("18446744073709551615"))
        #expect(try encoder.encode([UInt64.max, 1]) == [.bigInteger("18446744073709551615"), 1])
        #expect(try encoder.encode(Int128.min) == .bigInteger("-170141183460469231731687303715884105728"))
        #expect(try encoder.encode(["a": UInt64.max])["a"] == .bigInteger("18446744073709551615"))
    }

    @Test func collections() throws {
        #expect(try encoder.encode([1, 2]) == [1, 2])
        #expect(try encoder.encode(["a", "b"]) == ["a", "b"])
        #expect(try encoder.encode([1.5, 2]) == [1.5, 2.0])
        #expect(try encoder.encode([true]) == [true])
        #expect(try encoder.encode([[1], []]) == [[1], []])
        #expect(try encoder.encode([1, nil]) == [1, nil])
        #expect(try encoder.encode(["a": [1]]) == ["a": [1]])
        #expect(try encoder.encode([7: "x"]) == ["7": "x"])
        #expect(try encoder.encode([JSONValue.null, 1]) == [nil, 1])
        #expect(try encoder.encode(["b": 1, "a": 2] as JSONObject) == ["b": 1, "a": 2])
    }

    @Test func structuresKeepTheOrderOfTheirPropertiesAndLeaveNilOut() throws {
        let value = try encoder.encode(Picture(url: "s3://a", width: nil, tags: ["x"]))
        #expect(value == ["url": "s3://a", "tags": ["x"]])
        #expect(String(decoding: value.serialized(), as: UTF8.self) == #"{"url": "s3://a", "tags": ["x"]}"#)
    }

    @Test func extendedTypes() throws {
        let id = UUID()
        let date = Date(timeIntervalSince1970: 1_709_212_455.5)
        #expect(try encoder.encode(date) == .datetime(WireDate(date)))
        #expect(try encoder.encode(Data([1, 0xFF])) == .bytes([1, 0xFF]))
        #expect(try encoder.encode(id) == .uuid(id))
        #expect(try encoder.encode(try #require(Decimal(string: "-1.50"))) == .decimal("-1.5"))
        #expect(try encoder.encode(Decimal.nan) == .decimal("NaN"))
        #expect(try encoder.encode(URL(string: "https://example.org/x")) == "https://example.org/x")
        #expect(try encoder.encode([date]) == [.datetime(WireDate(date))])
        #expect(try encoder.encode(["id": id]) == ["id": .uuid(id)])
    }

    @Test func enumerationsWithValues() throws {
        #expect(try encoder.encode(Shape.circle(radius: 2)) == ["circle": ["radius": 2.0]])
        #expect(try encoder.encode(Shape.label("x", size: 3)) == ["label": ["_0": "x", "size": 3]])
        #expect(try encoder.encode(Shape.empty) == ["empty": [:]])
    }

    @Test func nestedContainersAndSuperclasses() throws {
        let nested = NestedContainers(x: 1, list: [2, 3], last: "z")
        #expect(try encoder.encode(nested) == ["inner": ["x": 1, "deep": [[["x": "z"]]]], "list": [2, 3]])
        #expect(try encoder.encode(Dog(legs: 4, name: "Rex")) == ["name": "Rex", "super": ["legs": 4]])
    }

    @Test func theDepthIsBounded() throws {
        #expect(throws: Never.self) { try encoder.encode(NestedLinks.ofLength(20)) }
        #expect(throws: EncodingError.self) { try encoder.encode(NestedLinks.ofLength(100)) }
        #expect(throws: EncodingError.self) { try encoder.encode(Bottomless()) }
        #expect(throws: EncodingError.self) { try JSONValueEncoder(maxDepth: 1).encode([[1]]) }
        #expect(throws: Never.self) { try JSONValueEncoder(maxDepth: 2).encode([[[Int]]()]) }
    }

    @Test func whatTheEncoderAcceptsTheReaderAcceptsWithinABody() throws {
        var deepest: JSONValue?
        for length in 1..<100 {
            guard let value = try? encoder.encode(NestedLinks.ofLength(length)) else { break }
            deepest = value
        }
        let body: JSONValue = [[try #require(deepest)], [:], [:]]
        #expect(try JSONValue(parsing: body.serialized()) == body)
    }

    @Test func containersOfDifferentKindsAreAnError() {
        #expect(throws: EncodingError.self) { try encoder.encode(Contradiction()) }
    }
}
