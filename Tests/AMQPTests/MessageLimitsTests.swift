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
        #expect(code { () throws(AMQPError) in try MessageLimits.check(message, frameMax: 4096) } == .invalidArgument)
        #expect(code { () throws(AMQPError) in try MessageLimits.check(message, frameMax: 8192) } == nil)
    }

    @Test func longNames() {
        let long = String(repeating: "ü", count: 128)
        let message = OutgoingMessage(routingKey: long, body: [])
        #expect(code { () throws(AMQPError) in try MessageLimits.check(message, frameMax: 8192) } == .invalidArgument)
        let method = ClientMethod.queueDeclare(QueueDeclaration(name: long))
        #expect(code { () throws(AMQPError) in try method.check() } == .invalidArgument)
    }

    @Test func deepTables() {
        var value = FieldValue.table([:])
        for _ in 0..<150 { value = .array([.table(["k": value])]) }
        var properties = BasicProperties()
        properties.headers = ["deep": value]
        #expect(code { () throws(AMQPError) in try MessageLimits.check(properties) } == .invalidArgument)
    }
}
