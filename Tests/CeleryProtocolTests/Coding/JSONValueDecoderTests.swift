import CeleryProtocol
import FoundationEssentials
import Testing

@Suite struct JSONValueDecoderTests {
    private let decoder = JSONValueDecoder()

    /// The coding path of the error, as one text.
    private func path<T: Decodable>(_ type: T.Type, from value: JSONValue) -> String? {
        do {
            _ = try decoder.decode(type, from: value)
            return nil
        } catch let error as DecodingError {
            let context =
                switch error {
                case .typeMismatch(_, let context), .valueNotFound(_, let context), .keyNotFound(_, let context),
                    .dataCorrupted(let context):
                    context
                @unknown default: DecodingError.Context(codingPath: [], debugDescription: "")
                }
            return context.codingPath.map { $0.intValue.map { String($0) } ?? $0.stringValue }.joined(separator: ".")
        } catch {
            return "\(error)"
        }
    }

    @Test func scalars() throws {
        #expect(try decoder.decode(Int.self, from: 3) == 3)
        #expect(try decoder.decode(String.self, from: "x") == "x")
        #expect(try decoder.decode(Bool.self, from: true))
        #expect(try decoder.decode(Double.self, from: 1.5) == 1.5)
        #expect(try decoder.decode(Float.self, from: 0.1) == 0.1)
        #expect(try decoder.decode(UInt16.self, from: 65_535) == 65_535)
        #expect(try decoder.decode(Int?.self, from: .null) == nil)
        #expect(try decoder.decode(Int?.self, from: 1) == 1)
        #expect(try decoder.decode(Colour.self, from: "red") == .red)
    }

    @Test func integersBecomeFloatsButNeverTheReverse() throws {
        #expect(try decoder.decode(Double.self, from: 3) == 3.0)
        #expect(try decoder.decode(Float.self, from: 3) == 3.0)
        #expect(try decoder.decode([Double].self, from: [1, 2.5]) == [1, 2.5])
        #expect(try decoder.decode(Double.self, from: .bigInteger("18446744073709551616")) == 0x1p64)
        #expect(path(Int.self, from: 3.0) != nil)
        #expect(path([Int].self, from: [1, 2.0]) == "1")
    }

    @Test func booleansAndNumbersStayApart() {
        #expect(path(Int.self, from: true) != nil)
        #expect(path(Bool.self, from: 1) != nil)
        #expect(path(Double.self, from: false) != nil)
        #expect(path(String.self, from: 1) != nil)
    }

    @Test func integersOutOfRangeAreErrors() throws {
        #expect(path(UInt8.self, from: 256) != nil)
        #expect(path(UInt.self, from: -1) != nil)
        #expect(path(Int.self, from: .bigInteger("9223372036854775808")) != nil)
        #expect(path(Double.self, from: .bigInteger("1" + String(repeating: "0", count: 400))) != nil)
        #expect(path(Float.self, from: 1e300) != nil)
        #expect(try decoder.decode(UInt64.self, from: .bigInteger("18446744073709551615")) == .max)
        #expect(try decoder.decode(Int128.self, from: .bigInteger("-9223372036854775809")) == Int128(Int64.min) - 1)
    }

    @Test func collections() throws {
        #expect(try decoder.decode([Int].self, from: [1, 2]) == [1, 2])
        #expect(try decoder.decode([String].self, from: ["a"]) == ["a"])
        #expect(try decoder.decode([Bool].self, from: [true]) == [true])
        #expect(try decoder.decode([[Int8]].self, from: [[1], []]) == [[1], []])
        #expect(try decoder.decode([Int?].self, from: [1, nil, 2]) == [1, nil, 2])
        #expect(try decoder.decode([String: Int].self, from: ["a": 1]) == ["a": 1])
        #expect(try decoder.decode([Int: String].self, from: ["7": "x"]) == [7: "x"])
        #expect(try decoder.decode(Set<String>.self, from: ["a", "b"]) == ["a", "b"])
        #expect(try decoder.decode([JSONValue].self, from: [nil, 1]) == [nil, 1])
    }

    @Test func valuesOfAnyKindPassThrough() throws {
        let value: JSONValue = ["a": [1, 1.0, nil], "b": .bytes([1])]
        #expect(try decoder.decode(JSONValue.self, from: value) == value)
        #expect(try decoder.decode(JSONObject.self, from: value) == value.objectValue)
        #expect(try decoder.decode([String: JSONValue].self, from: value)["a"] == [1, 1.0, nil])
        #expect(try decoder.decode(JSONValue?.self, from: value) == value)
    }

    @Test func structures() throws {
        let full: JSONValue = ["url": "s3://a", "width": 3, "tags": ["x"], "more": 1]
        #expect(try decoder.decode(Picture.self, from: full) == Picture(url: "s3://a", width: 3, tags: ["x"]))
        let missing: JSONValue = ["url": "s3://a", "tags": []]
        #expect(try decoder.decode(Picture.self, from: missing) == Picture(url: "s3://a", width: nil))
        let null: JSONValue = ["url": "s3://a", "width": nil, "tags": []]
        #expect(try decoder.decode(Picture.self, from: null) == Picture(url: "s3://a", width: nil))
    }

    @Test func extendedTypesComeBack() throws {
        let value = ExtendedTypes(
            date: Date(timeIntervalSince1970: 1_709_212_455.000016),
            data: Data([0, 0xFF]),
            id: UUID(),
            price: try #require(Decimal(string: "123456789012345678901234567890.12345678")),
            page: try #require(URL(string: "https://example.org/a?b=c")),
            moment: try WireDate(parsing: "2024-02-29T13:14:15+05:30"),
            anything: [1, .decimal("1E+3")],
            options: ["b": nil, "a": 1]
        )
        let json = try JSONValueEncoder().encode(value)
        let read = try JSONValue(parsing: json.serialized())
        #expect(read == json)
        let decoded = try decoder.decode(ExtendedTypes.self, from: read)
        #expect(abs(decoded.date.timeIntervalSince(value.date)) < 0.000001)
        #expect(decoded.data == value.data && decoded.id == value.id && decoded.price == value.price)
        #expect(decoded.page == value.page && decoded.moment == value.moment)
        #expect(decoded.anything == value.anything && decoded.options == value.options)
    }

    @Test func extendedTypesAreReadFromPlainStringsToo() throws {
        let id = UUID()
        #expect(try decoder.decode(UUID.self, from: .string(id.uuidString)) == id)
        #expect(try decoder.decode(Date.self, from: "1970-01-02T00:00:00Z") == Date(timeIntervalSince1970: 86_400))
        #expect(try decoder.decode(Date.self, from: .date("1970-01-02")) == Date(timeIntervalSince1970: 86_400))
        #expect(try decoder.decode(Decimal.self, from: "1.5") == 1.5)
        #expect(try decoder.decode(Decimal.self, from: 15) == 15)
        #expect(try decoder.decode(Decimal.self, from: 0.1) == Decimal(string: "0.1"))
        #expect(try decoder.decode([UInt8].self, from: .bytes([1, 2])) == [1, 2])
        #expect(try decoder.decode([UInt8].self, from: [1, 2]) == [1, 2])
        #expect(path(Data.self, from: "AA==") != nil)
        #expect(path(UUID.self, from: "x") != nil)
        #expect(path(Date.self, from: "tomorrow") != nil)
        #expect(path(Date.self, from: 1) != nil)
    }

    @Test func decimalsThatDoNotFitAreErrors() throws {
        #expect(path(Decimal.self, from: .decimal("1" + String(repeating: "1", count: 40))) != nil)
        #expect(path(Decimal.self, from: .decimal("Infinity")) != nil)
        #expect(path(Decimal.self, from: .decimal("1E+128")) != nil)
        #expect(path(Decimal.self, from: .decimal("1E-129")) != nil)
        #expect(try decoder.decode(Decimal.self, from: .decimal("NaN")).isNaN)
        #expect(try decoder.decode(Decimal.self, from: .decimal("-0")) == 0)
        #expect(try decoder.decode(Decimal.self, from: .decimal("1E+127")).exponent == 127)
        #expect(try decoder.decode(Decimal.self, from: .decimal("-1.5E-100")) == Decimal(string: "-1.5e-100"))
        let largest = "340282366920938463463374607431768211455"
        #expect(try decoder.decode(Decimal.self, from: .decimal(largest)) == Decimal(string: largest))
    }

    @Test func enumerationsNestedContainersAndSuperclasses() throws {
        #expect(try decoder.decode(Shape.self, from: ["circle": ["radius": 2]]) == .circle(radius: 2))
        #expect(try decoder.decode(Shape.self, from: ["label": ["_0": "x", "size": 3]]) == .label("x", size: 3))
        #expect(try decoder.decode(Shape.self, from: ["empty": [:]]) == .empty)
        let nested = NestedContainers(x: 1, list: [2, 3], last: "z")
        #expect(try decoder.decode(NestedContainers.self, from: try JSONValueEncoder().encode(nested)) == nested)
        let dog = try decoder.decode(Dog.self, from: ["name": "Rex", "super": ["legs": 4]])
        #expect(dog.name == "Rex" && dog.legs == 4)
    }

    @Test func errorsNameThePlace() {
        let shapes: JSONValue = [["circle": ["radius": 1]], ["circle": ["radius": "x"]]]
        #expect(path([Shape].self, from: shapes) == "1.circle.radius")
        #expect(path(Picture.self, from: ["url": 1, "tags": []]) == "url")
        #expect(path(Picture.self, from: ["url": "x", "tags": ["a", 2]]) == "tags.1")
        #expect(path([String: [Int8]].self, from: ["a": [1, 300]]) == "a.1")
        #expect(path(Picture.self, from: ["tags": []]) == "")
        #expect(path([Int].self, from: "x") == "")
    }

    @Test func theDepthIsBounded() throws {
        #expect(path(Bottomless.self, from: 1) != nil)
        #expect(path(JSONValueDecoderTests.Deep.self, from: JSONValueDecoderTests.Deep.value(levels: 400)) != nil)
        #expect(throws: Never.self) { try decoder.decode(Deep.self, from: Deep.value(levels: 62)) }
    }

    /// Arrays in arrays.
    struct Deep: Decodable {
        var inner: [Deep]

        init(from decoder: any Decoder) throws { inner = try [Deep](from: decoder) }

        static func value(levels: Int) -> JSONValue { (1..<levels).reduce([]) { value, _ in [value] } }
    }

    @Test func userInfoReachesTheTypes() throws {
        struct Asking: Decodable {
            let answer: Int?
            init(from decoder: any Decoder) throws {
                answer = CodingUserInfoKey(rawValue: "x").flatMap { decoder.userInfo[$0] } as? Int
            }
        }
        let key = try #require(CodingUserInfoKey(rawValue: "x"))
        #expect(try JSONValueDecoder(userInfo: [key: 5]).decode([Asking].self, from: [1])[0].answer == 5)
    }

    @Test func otherCodersSeeEnvelopes() throws {
        let value: JSONValue = [
            "b": [1, 1.5, nil, true, "x"], "a": .bytes([0xFF]), "c": .uuid(UUID()), "d": .decimal("1.50"),
        ]
        let data = try JSONEncoder().encode(value)
        let read = try JSONDecoder().decode(JSONValue.self, from: data)
        #expect(read["b"] == value["b"])
        #expect(read["a"] == value["a"])
        #expect(read["c"] == value["c"])
        #expect(read["d"] == value["d"])
    }
}
