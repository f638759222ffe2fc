import Synchronization

/// What a worker knows of its consumers over all connections: which have started once, what they have delivered, and
/// their watchdogs.
final class ConsumerRecords: Sendable {
    private struct Record {
        var hasStarted = false
        var watchdog: ConsumingWatchdog?
        let deliveries = WorkerCounters.Counter()
    }

    private let records = Mutex<[DesiredConsumer.Name: Record]>([:])

    /// The count of a consumer's deliveries.
    func deliveries(of name: DesiredConsumer.Name) -> WorkerCounters.Counter {
        records.withLock { $0[name, default: Record()].deliveries }
    }

    /// Whether the consumer has started at least once.
    func hasStarted(_ name: DesiredConsumer.Name) -> Bool {
        records.withLock { $0[name]?.hasStarted ?? false }
    }

    /// Notes that a consumer has started.
    func noteStarted(_ name: DesiredConsumer.Name) {
        records.withLock { $0[name, default: Record()].hasStarted = true }
    }

    /// Asks a consumer's watchdog, which is made where there is none yet.
    func ask(
        _ name: DesiredConsumer.Name,
        limit: Duration,
        _ question: (inout ConsumingWatchdog) -> ConsumingWatchdog.Action
    ) -> ConsumingWatchdog.Action {
        records.withLock { records in
            var watchdog = records[name]?.watchdog ?? ConsumingWatchdog(limit: limit)
            defer { records[name, default: Record()].watchdog = watchdog }
            return question(&watchdog)
        }
    }

    /// Whether one of these consumers is known, or not known not, to get what the broker has for it.
    func isConsuming(_ names: some Sequence<DesiredConsumer.Name>, limit: Duration) -> Bool {
        records.withLock { records in
            names.contains { name in
                guard let record = records[name], record.hasStarted else { return false }
                return record.watchdog.map { $0.unprovenFor <= limit } ?? true
            }
        }
    }

    /// Tells all watchdogs that there is no connection for now.
    func disconnected() {
        records.withLock { records in
            for name in records.keys { records[name]?.watchdog?.disconnected() }
        }
    }

    /// Begins a new watch, because the consumer is no longer wanted or wanted otherwise.
    func resetWatchdog(_ name: DesiredConsumer.Name) {
        records.withLock { $0[name]?.watchdog = nil }
    }
}
