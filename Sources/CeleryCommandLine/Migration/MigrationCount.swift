/// What becomes of each message of a migration, and when it is over; a value without I/O.
///
/// Every message that was taken is in exactly one state, and is acknowledged at the source only after the destination has
/// confirmed it.
struct MigrationCount: Sendable, Hashable {
    /// What is to be done with a message that was taken.
    enum Decision: Sendable, Hashable {
        /// Publish it at the destination; the number that it has in the report.
        case publish(number: Int)
        /// Leave it at the source.
        case leave
    }

    /// What is to be done at the source with a message whose fate is known.
    enum Settlement: Sendable, Hashable {
        /// It has arrived: acknowledge it.
        case acknowledge
        /// It stays: it goes back when the source's channel is closed.
        case keep
    }

    /// Most tasks to migrate; nil without a limit.
    let limit: Int?
    /// Names of the tasks to migrate; empty for all.
    let tasks: Set<String>
    /// Whether messages are moved; otherwise they are copied.
    let acknowledges: Bool

    /// Tasks that were sent on.
    private(set) var sent = 0
    /// Tasks that the destination has confirmed.
    private(set) var confirmed = 0
    /// Tasks that the destination did not take.
    private(set) var refused = 0
    /// Tasks that were left at the source, as nobody asked for them.
    private(set) var left = 0

    init(limit: Int? = nil, tasks: Set<String> = [], acknowledges: Bool) {
        self.limit = limit
        self.tasks = tasks
        self.acknowledges = acknowledges
    }

    /// Tasks of which nobody knows yet, and after a failure ever, whether they have arrived.
    var unsettled: Int { sent - confirmed - refused }

    /// Whether no further message is to be taken.
    var isComplete: Bool { limit.map { sent >= $0 } ?? false }

    /// A message was taken from the source.
    mutating func taken(task: String?) -> Decision {
        guard tasks.isEmpty || task.map(tasks.contains) == true else {
            left += 1
            return .leave
        }
        sent += 1
        return .publish(number: sent)
    }

    /// The destination has answered.
    mutating func answered(isConfirmed: Bool) -> Settlement {
        if isConfirmed { confirmed += 1 } else { refused += 1 }
        return isConfirmed && acknowledges ? .acknowledge : .keep
    }
}
