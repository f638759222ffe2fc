import AMQP
import Logging
import Testing

@Suite(
    "AMQPConnection against RabbitMQ",
    .enabled(if: BrokerEnvironment.url != nil, BrokerEnvironment.needed),
    .timeLimit(.minutes(2))
)
struct AMQPConnectionTests {
    @Test func negotiatesAndCloses() async throws {
        let connection = try await BrokerEnvironment.connect { $0.heartbeat = .seconds(9) }
        #expect(await connection.negotiatedHeartbeat == .seconds(9))
        #expect(!connection.isBlocked)
        let channel = try await connection.openChannel()
        #expect(channel.number == 1)
        await connection.close()
        #expect(connection.isClosed)
        #expect(channel.isClosed)
        #expect(await connection.waitUntilClosed() == nil)
        #expect(
            await amqpError { () throws(AMQPError) in _ = try await connection.openChannel() }?.code
                == .connectionClosed
        )
        await connection.close()
    }

    @Test func channelNumbersAreUsedAgain() async throws {
        let connection = try await BrokerEnvironment.connect { $0.channelMax = 3 }
        let first = try await connection.openChannel()
        _ = try await connection.openChannel()
        _ = try await connection.openChannel()
        #expect(
            await amqpError { () throws(AMQPError) in _ = try await connection.openChannel() }?.code == .invalidArgument
        )
        await first.close()
        #expect(try await connection.openChannel().number == 1)
        await connection.close()
    }

    @Test func wrongPasswordIsRefusedWithTheReason() async throws {
        let error = await amqpError { () throws(AMQPError) in
            do {
                _ = try await BrokerEnvironment.connect { $0.uri.password = "wrong-s3cret" }
            } catch let error as AMQPError {
                throw error
            } catch {
                throw AMQPError(.protocolViolation, "\(error)")
            }
        }
        #expect(error?.code == .authenticationFailed)
        #expect(error?.replyCode == 403)
        #expect(error.map { !"\($0)".contains("s3cret") } == true)
    }

    @Test func unknownVirtualHostIsRefused() async throws {
        var configuration = try ConnectionConfiguration(uri: BrokerEnvironment.address())
        configuration.uri.virtualHost = "no-such-host"
        let unknown = configuration
        let error = await amqpError { () throws(AMQPError) in
            _ = try await AMQPConnection.connect(unknown, logger: Logger(label: "test"))
        }
        #expect(error?.code == .authenticationFailed)
    }

    @Test func unreachableBrokerFailsInTime() async throws {
        var configuration = try ConnectionConfiguration(uri: AMQPURI(host: "127.0.0.1", port: 1))
        configuration.connectTimeout = .seconds(1)
        let unreachable = configuration
        let error = await amqpError { () throws(AMQPError) in
            _ = try await AMQPConnection.connect(unreachable, logger: Logger(label: "test"))
        }
        #expect(error?.code == .connectionFailed)
    }

    @Test func protocolErrorEndsTheConnectionWithTheReason() async throws {
        let connection = try await BrokerEnvironment.connect()
        let channel = try await connection.openChannel()
        // RabbitMQ answers a second consumer with the same tag with a connection error (530 NOT_ALLOWED).
        let queue = BrokerEnvironment.uniqueName("tags")
        try await channel.declareQueue(QueueDeclaration(name: queue, exclusive: true))
        _ = try await channel.consume(queue, options: ConsumeOptions(consumerTag: "same")) { _ in }
        let error = await amqpError { () throws(AMQPError) in
            _ = try await channel.consume(queue, options: ConsumeOptions(consumerTag: "same")) { _ in }
        }
        #expect(error?.replyCode == 530)
        #expect(await connection.waitUntilClosed()?.replyCode == 530)
        await connection.close()
    }

    @Test func droppedConnectionIsClosed() async throws {
        let queue = BrokerEnvironment.uniqueName("exclusive")
        func useAndDrop() async throws {
            let connection = try await BrokerEnvironment.connect()
            let channel = try await connection.openChannel()
            try await channel.declareQueue(QueueDeclaration(name: queue, exclusive: true))
        }
        try await useAndDrop()
        // The exclusive queue goes with its connection.
        for _ in 0..<100 {
            var gone = false
            try await withChannel { _, channel in
                let error = await amqpError { () throws(AMQPError) in
                    try await channel.declareQueue(QueueDeclaration(name: queue, passive: true))
                }
                gone = error?.replyCode == 404
            }
            if gone { return }
            try await Task.sleep(for: .milliseconds(50))
        }
        Issue.record("the connection outlived its last reference")
    }

    @Test func idleConnectionKeepsItsHeartbeat() async throws {
        let connection = try await BrokerEnvironment.connect { $0.heartbeat = .seconds(1) }
        let channel = try await connection.openChannel()
        try await Task.sleep(for: .seconds(4))
        #expect(!connection.isClosed)
        let queue = BrokerEnvironment.uniqueName("beat")
        try await channel.declareQueue(QueueDeclaration(name: queue, exclusive: true))
        await connection.close()
    }

    @Test func concurrentRequestsOnOneChannelGetTheirOwnAnswers() async throws {
        try await withChannel { _, channel in
            let names = (0..<50).map { BrokerEnvironment.uniqueName("c\($0)") }
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for name in names {
                    group.addTask {
                        try await channel.declareQueue(QueueDeclaration(name: name, exclusive: true)).name == name
                    }
                }
                for try await matches in group { #expect(matches) }
            }
        }
    }
}
