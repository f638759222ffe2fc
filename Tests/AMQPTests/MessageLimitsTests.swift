import Testing

@testable import AMQP

@Suite("MessageLimits refuses what would break the connection")
struct MessageLimitsTests {
    private func code(_ body: () throws(AMQPError) -> Void) -> AMQPError.Code? {
        do throws(AMQPError) {
            try body()
            return nil
        } catch {
            return error.code
        }
    }

    @Test func headersLargerThanAFrame() {
        var message = OutgoingMessage(routingKey: "q", body: [])
        message.properties.headers = ["big": .string(String(repeating: "x", count: 5000))]
        #expect(
            code { () throws(AMQPError) in _ = try MessageLimits.check(message, frameMax: 4096, bodyLimit: 9) }
                == .messageTooLarge
        )
        #expect(
            code { () throws(AMQPError) in _ = try MessageLimits.check(message, frameMax: 8192, bodyLimit: 9) } == nil
        )
    }

    @Test func bodiesLargerThanTheLimit() throws {
        let message = OutgoingMessage(routingKey: "q", body: [UInt8](repeating: 0, count: 10))
        #expect(
            code { () throws(AMQPError) in _ = try MessageLimits.check(message, frameMax: 4096, bodyLimit: 9) }
                == .messageTooLarge
        )
        // The flags of the properties take two bytes.
        #expect(try MessageLimits.check(message, frameMax: 4096, bodyLimit: 10) == 12)
    }

    @Test func argumentsLargerThanAFrame() {
        let arguments: FieldTable = ["big": .string(String(repeating: "x", count: 5000))]
        let method = ClientMethod.queueDeclare(QueueDeclaration(name: "q", arguments: arguments))
        #expect(code { () throws(AMQPError) in try method.check(frameMax: 4096) } == .messageTooLarge)
        #expect(code { () throws(AMQPError) in try method.check(frameMax: 8192) } == nil)
    }

    @Test func longNames() {
        let long = String(repeating: "ü", count: 128)
        let message = OutgoingMessage(routingKey: long, body: [])
        #expect(
            code { () throws(AMQPError) in _ = try MessageLimits.check(message, frameMax: 8192, bodyLimit: 9) }
                == .invalidArgument
        )
        let method = ClientMethod.queueDeclare(QueueDeclaration(name: long))
        #expect(code { () throws(AMQPError) in try method.check(frameMax: 8192) } == .invalidArgument)
    }

    @Test func deepTables() {
        var value = FieldValue.table([:])
        for _ in 0..<150 { value = .array([.table(["k": value])]) }
        var properties = BasicProperties()
        properties.headers = ["deep": value]
        #expect(code { () throws(AMQPError) in try MessageLimits.check(properties) } == .invalidArgument)
    }
}
