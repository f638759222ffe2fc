import AMQP
import Celery

/// Deletes the waiting messages of some queues; the texts are those of Celery's `purge`.
struct QueuePurge: Sendable {
    /// What came of it.
    struct Outcome: Sendable, Hashable {
        /// How many messages were deleted.
        var count = 0
        /// What an operator should know of single queues.
        var remarks: [String] = []
        /// Whether the broker refused a queue that is there.
        var isRefused = false
    }

    /// The queues by name, sorted.
    let queues: [String]

    /// Chooses the queues: those wanted, or else all known ones, without the excluded ones.
    init(known: [String], wanted: [String]?, excluded: [String]) {
        queues = Set(wanted ?? known).subtracting(excluded).sorted()
    }

    private var noun: String { Plural.noun(queues.count, "queue") }

    /// What the person at the terminal is asked.
    var question: String {
        """
        WARNING:This will remove all tasks from \(noun): \(queues.joined(separator: ", ")).
                 There is no undo for this operation!

        (to skip this prompt use the -f option)
        Are you sure you want to delete all tasks?
        """
    }

    /// The last line.
    func report(_ count: Int) -> String {
        guard count > 0 else { return "No messages purged from \(Plural.of(queues.count, "queue"))." }
        return "Purged \(Plural.of(count, "message")) from \(queues.count) known task \(noun)."
    }

    /// Deletes the messages.
    ///
    /// A queue that is not there, or that the broker refuses, counts as empty, as in Celery, and is told.
    ///
    /// - Throws: `AMQPError` where the connection ends.
    func run(_ connection: any BrokerConnection) async throws(AMQPError) -> Outcome {
        var outcome = Outcome()
        var channel = try await connection.openChannel()
        for queue in queues {
            do throws(AMQPError) {
                outcome.count += try await channel.purgeQueue(queue)
            } catch {
                guard error.code == .channelClosed else { throw error }
                outcome.remarks.append("Queue '\(queue)': \(error.message)")
                if error.replyCode != 404 { outcome.isRefused = true }
                channel = try await connection.openChannel()
            }
        }
        return outcome
    }
}
