import Testing

@testable import AMQP

@Suite("ContentHeaderCodec keeps every AMQP type and the order of fields")
struct ContentHeaderCodecTests {
    private let everyType: FieldTable = [
        "t": .bool(true), "b": .int8(-8), "B": .uint8(200), "s": .int16(-16000), "u": .uint16(65000),
        "I": .int32(-2_000_000_000), "i": .uint32(4_000_000_000), "l": .int64(.min), "L": .longLong(-1),
        "f": .float(1.5), "d": .double(-0.1), "D": .decimal(scale: 2, value: 314), "S": .string("grüße 🐇"),
        "not UTF-8": .longBytes([0xff, 0xfe]), "x": .bytes([0, 1, 2]),
        "A": .array([.void, .int32(1), .array([.string("deep")]), .table(["k": .bool(false)])]),
        "T": .timestamp(1_700_000_000), "F": .table(["z": .void, "a": .table([:])]), "V": .void,
        "": .string("empty name"),
    ]

    @Test func roundTripOfEveryType() throws {
        var properties = BasicProperties()
        properties.headers = everyType
        let frame = try ContentHeaderCodec.encode(properties, bodySize: 7)
        let decoded = try ContentHeaderCodec.decode(frame)
        #expect(decoded.bodySize == 7)
        #expect(decoded.properties == properties)
        #expect(decoded.properties.headers?.fields.map(\.name) == everyType.fields.map(\.name))
        #expect(try ContentHeaderCodec.encode(decoded.properties, bodySize: 7) == frame)
    }

    @Test func roundTripOfEveryProperty() throws {
        var properties = BasicProperties()
        properties.contentType = "application/json"
        properties.contentEncoding = "utf-8"
        properties.headers = [:]
        properties.deliveryMode = 2
        properties.priority = 0
        properties.correlationID = "id"
        properties.replyTo = "queue"
        properties.expiration = "1000"
        properties.messageID = "m"
        properties.timestamp = 5
        properties.type = "t"
        properties.userID = "u"
        properties.appID = "a"
        properties.clusterID = "c"
        let frame = try ContentHeaderCodec.encode(properties, bodySize: .max)
        #expect(try ContentHeaderCodec.decode(frame).properties == properties)
        #expect(frame.count == properties.encodedSize + 12)
    }

    @Test func absentPropertiesStayAbsent() throws {
        let frame = try ContentHeaderCodec.encode(BasicProperties(), bodySize: 0)
        #expect(try ContentHeaderCodec.decode(frame).properties == BasicProperties())
    }

    @Test func sizeIsThatOfTheWire() throws {
        var properties = BasicProperties()
        properties.headers = everyType
        #expect(try ContentHeaderCodec.encode(properties, bodySize: 0).count == properties.encodedSize + 12)
    }

    @Test func cutFramesAreRefused() throws {
        var properties = BasicProperties()
        properties.headers = everyType
        let frame = try ContentHeaderCodec.encode(properties, bodySize: 0)
        for length in 0..<frame.count {
            #expect(throws: AMQPError.self, "\(length)") { try ContentHeaderCodec.decode(Array(frame.prefix(length))) }
        }
    }

    @Test func propertiesThatAreTooLongAreRefused() {
        var long = BasicProperties()
        long.correlationID = String(repeating: "x", count: 256)
        #expect { try ContentHeaderCodec.encode(long, bodySize: 0) } throws: {
            ($0 as? AMQPError)?.code == .invalidArgument
        }
        var name = BasicProperties()
        name.headers = FieldTable([.init(String(repeating: "n", count: 256), .void)])
        #expect(throws: AMQPError.self) { try ContentHeaderCodec.encode(name, bodySize: 0) }
    }
}
