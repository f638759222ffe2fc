import Celery
import Synchronization

/// The limits of one task, as registered or as changed since.
///
/// Read for every run; as long as nothing was changed, without a lock.
final class TaskLimits: Sendable {
    /// The limits of one moment.
    struct Values: Sendable {
        var hard: Duration?
        var soft: Duration?
        var rate: RateLimit?
    }

    private let registered: Values
    private let isChanged = Atomic(false)
    private let changed: Mutex<Values>

    init(_ registered: Values) {
        self.registered = registered
        changed = Mutex(registered)
    }

    /// The limits that count now.
    var values: Values {
        isChanged.load(ordering: .acquiring) ? changed.withLock { $0 } : registered
    }

    /// Changes the limits from now on.
    func change(_ body: (inout sending Values) -> Void) {
        changed.withLock { body(&$0) }
        isChanged.store(true, ordering: .releasing)
    }
}
