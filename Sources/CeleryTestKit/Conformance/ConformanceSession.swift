internal import AMQP
internal import Celery
internal import Synchronization

/// A connection with a channel, as most checks need it.
struct ConformanceSession {
    let connection: any BrokerConnection
    let channel: any BrokerChannel

    init(_ broker: any Broker, confirms: Bool = false) async throws {
        connection = try await broker.connect(.consume)
        channel = try await connection.openChannel(confirms: confirms)
    }

    /// A queue that goes with the connection.
    func queue(_ arguments: FieldTable = [:], durable: Bool = false) async throws -> String {
        let name = BrokerConformance.name("queue")
        _ = try await channel.declareQueue(
            QueueDeclaration(name: name, durable: durable, exclusive: true, arguments: arguments)
        )
        return name
    }

    func exchange(_ type: String) async throws -> String {
        let name = BrokerConformance.name("exchange")
        try await channel.declareExchange(
            ExchangeDeclaration(name: name, type: type, durable: false, autoDelete: true)
        )
        return name
    }

    func publish(
        _ text: String,
        to exchange: String = "",
        key: String,
        mandatory: Bool = false,
        properties: BasicProperties = BasicProperties()
    ) async throws(AMQPError) {
        try await channel.publish(
            OutgoingMessage(
                exchange: exchange,
                routingKey: key,
                mandatory: mandatory,
                properties: properties,
                body: Array(text.utf8)
            )
        )
    }

    /// The bodies that wait in a queue, in their order; they are gone then.
    func drain(_ queue: String) async throws -> [String] {
        var texts: [String] = []
        while let message = try await channel.get(queue, noAck: true) { texts.append(message.text) }
        return texts
    }

    /// The error that a request on a channel of its own ends with; the channel has to end with it.
    func refusal(
        _ request: (any BrokerChannel) async throws -> Void,
        file: String = #fileID,
        line: Int = #line
    ) async throws -> Int? {
        let victim = try await connection.openChannel()
        do {
            try await request(victim)
        } catch let error as AMQPError {
            let reason = await victim.waitUntilClosed()
            try BrokerConformance.check(
                reason?.replyCode == error.replyCode,
                "the channel ends",
                file: file,
                line: line
            )
            // The connection lives on.
            _ = try await connection.openChannel()
            return error.replyCode
        }
        throw BrokerConformance.Failure(description: "the request was not refused (\(file):\(line))")
    }
}

extension IncomingMessage {
    var text: String { String(decoding: body, as: UTF8.self) }
}

/// Collects what happens to a consumer.
final class ConsumerProbe: Sendable {
    private struct State {
        var messages: [IncomingMessage] = []
        var isCancelled = false
        var isClosed = false
    }

    private let state = Mutex(State())

    var messages: [IncomingMessage] { state.withLock { $0.messages } }
    var texts: [String] { messages.map(\.text) }
    var isCancelled: Bool { state.withLock { $0.isCancelled } }
    var isClosed: Bool { state.withLock { $0.isClosed } }

    var onEvent: @Sendable (ConsumerEvent) -> Void {
        { [weak self] event in
            self?.state.withLock { state in
                switch event {
                case .deliveries(let messages): state.messages += messages
                case .cancelled: state.isCancelled = true
                case .closed: state.isClosed = true
                }
            }
        }
    }

    /// Waits until something holds; gives up after a while.
    func wait(
        _ expectation: String,
        file: String = #fileID,
        line: Int = #line,
        until condition: (ConsumerProbe) -> Bool
    ) async throws {
        for _ in 0..<2_000 {
            if condition(self) { return }
            try await Task.sleep(for: .milliseconds(5))
        }
        throw BrokerConformance.Failure(description: "\(expectation), but got \(texts) (\(file):\(line))")
    }

    /// Makes sure that for a while nothing more comes.
    func settle() async throws -> [String] {
        var count = -1
        while count != messages.count {
            count = messages.count
            try await Task.sleep(for: .milliseconds(100))
        }
        return texts
    }
}
