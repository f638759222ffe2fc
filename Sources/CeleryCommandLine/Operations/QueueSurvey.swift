import AMQP
import Celery
import CeleryProtocol

/// How many messages wait in queues, and how many consumers they have, as the broker tells without its management plugin.
struct QueueSurvey: Sendable, Hashable {
    /// One queue; nil numbers where there is none of the name.
    struct Entry: Sendable, Hashable {
        let queue: String
        let messages: Int?
        let consumers: Int?
    }

    let entries: [Entry]

    /// Asks the broker for each queue.
    ///
    /// - Throws: `AMQPError` where a queue may not be asked for, or the connection ends.
    init(of queues: [String], on connection: any BrokerConnection) async throws(AMQPError) {
        var entries: [Entry] = []
        var channel = try await connection.openChannel()
        for queue in queues {
            do throws(AMQPError) {
                let status = try await channel.declareQueue(QueueDeclaration(name: queue, passive: true))
                entries.append(Entry(queue: queue, messages: status.messageCount, consumers: status.consumerCount))
            } catch {
                guard error.code == .channelClosed, error.replyCode == 404 else { throw error }
                entries.append(Entry(queue: queue, messages: nil, consumers: nil))
                channel = try await connection.openChannel()
            }
        }
        self.entries = entries
    }

    /// A table in the manner of `list bindings`.
    var table: String {
        let rule = String(repeating: "-", count: 16)
        let rows = entries.map { ($0.queue, Self.text($0.messages), Self.text($0.consumers)) }
        return ([("Queue", "Messages", "Consumers"), (rule, rule, rule)] + rows)
            .map { "\(Columns.padded($0, 28)) \(Columns.padded($1, 16)) \($2)" }
            .joined(separator: "\n")
    }

    /// The same for programs; null for a queue that is not there.
    var json: JSONValue {
        .array(
            entries.map { entry in
                .object([
                    "queue": .string(entry.queue), "messages": entry.messages.map { .int($0) } ?? .null,
                    "consumers": entry.consumers.map { .int($0) } ?? .null,
                ])
            }
        )
    }

    private static func text(_ number: Int?) -> String { number.map { "\($0)" } ?? "-" }
}
