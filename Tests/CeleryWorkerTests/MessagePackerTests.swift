import AMQP
import Testing

@testable import CeleryWorker

@Suite("MessagePacker")
struct MessagePackerTests {
    private static let values: [FieldValue] = [
        .bool(true), .bool(false), .int8(-7), .uint8(200), .int16(-300), .uint16(60_000), .int32(.min), .uint32(.max),
        .int64(.min), .longLong(.max), .float(1.5), .double(-0.0), .decimal(scale: 2, value: 314), .string("käse"),
        .string(""), .longBytes([0xff, 0xfe]), .bytes([0, 1, 2]), .array([.void, .array([.int32(1)]), "x"]),
        .timestamp(1_700_000_000), .table(["a": .table(["b": .array([])])]), .void,
    ]

    private static var message: IncomingMessage {
        var headers: FieldTable = ["task": "proj.add", "id": "the-id", "my own": 7, "replaced_task_nesting": 0]
        for (index, value) in values.enumerated() { headers.append("v\(index)", value) }
        headers.append("task", "again")
        var properties = BasicProperties()
        properties.contentType = "application/json"
        properties.contentEncoding = "utf-8"
        properties.headers = headers
        properties.deliveryMode = 2
        properties.priority = 9
        properties.correlationID = "correlation"
        properties.replyTo = "replies"
        properties.expiration = "1000"
        properties.messageID = "message"
        properties.timestamp = .max
        properties.type = "type"
        properties.userID = "user"
        properties.appID = "app"
        properties.clusterID = ""
        return IncomingMessage(
            deliveryTag: 0,
            exchange: "exchange",
            routingKey: "key",
            properties: properties,
            body: Array(repeating: 0x41, count: 300)
        )
    }

    @Test("a message comes out as it went in, also with nothing in it")
    func roundTrip() throws {
        var packer = MessagePacker()
        let full = Self.message
        let empty = IncomingMessage(deliveryTag: 0, routingKey: "", properties: BasicProperties(), body: [])
        for message in [full, empty, full] {
            let unpacked = try MessageUnpacker.unpack(packer.pack(message))
            #expect(unpacked.exchange == message.exchange)
            #expect(unpacked.routingKey == message.routingKey)
            #expect(unpacked.properties == message.properties)
            #expect(unpacked.body == message.body)
        }
    }

    @Test("leaves the tags of the delivery out")
    func tags() throws {
        var message = Self.message
        message.deliveryTag = 5
        message.consumerTag = "w1"
        message.redelivered = true
        var packer = MessagePacker()
        let unpacked = try MessageUnpacker.unpack(packer.pack(message))
        #expect(unpacked.deliveryTag == 0)
        #expect(unpacked.consumerTag == nil)
        #expect(!unpacked.redelivered)
    }

    @Test("a block that is cut anywhere is refused")
    func damaged() {
        var packer = MessagePacker()
        let packed = packer.pack(Self.message)
        for length in 0..<packed.count {
            #expect(throws: MessageUnpacker.Damaged.self) { try MessageUnpacker.unpack(Array(packed[..<length])) }
        }
    }
}
