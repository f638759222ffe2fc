import Testing

@testable import AMQP

@Suite("ContentAssembler puts frames together")
struct ContentAssemblerTests {
    private let source = ContentSource(
        consumerTag: "c",
        deliveryTag: 1,
        redelivered: false,
        exchange: "",
        routingKey: "q"
    )

    @Test func messageWithoutBodyIsCompleteWithItsHeader() throws {
        var assembler = ContentAssembler(maximumBodySize: 10)
        try assembler.begin(.delivery(source))
        let content = try #require(try assembler.header(bodySize: 0, BasicProperties()))
        #expect(content.body.isEmpty)
        #expect(!assembler.isAssembling)
    }

    @Test func bodyComesInFragments() throws {
        var assembler = ContentAssembler(maximumBodySize: 10)
        try assembler.begin(.delivery(source))
        #expect(try assembler.header(bodySize: 5, BasicProperties()) == nil)
        #expect(try assembler.body([1, 2]) == nil)
        #expect(try assembler.body([3]) == nil)
        let content = try #require(try assembler.body([4, 5]))
        #expect(content.body == [1, 2, 3, 4, 5])
        #expect(content.kind == .delivery(source))
    }

    @Test func refusesWhatIsOutOfOrder() throws {
        var assembler = ContentAssembler(maximumBodySize: 10)
        #expect(throws: AMQPError.self) { try assembler.body([1]) }
        #expect(throws: AMQPError.self) { _ = try assembler.header(bodySize: 1, BasicProperties()) }
        try assembler.begin(.delivery(source))
        #expect(throws: AMQPError.self) { try assembler.begin(.get(source)) }
    }

    @Test func refusesBodiesThatAreTooLong() throws {
        var assembler = ContentAssembler(maximumBodySize: 10)
        try assembler.begin(.delivery(source))
        #expect(throws: AMQPError.self) { _ = try assembler.header(bodySize: 11, BasicProperties()) }
        var second = ContentAssembler(maximumBodySize: 10)
        try second.begin(.delivery(source))
        _ = try second.header(bodySize: 2, BasicProperties())
        #expect(throws: AMQPError.self) { _ = try second.body([1, 2, 3]) }
    }
}
