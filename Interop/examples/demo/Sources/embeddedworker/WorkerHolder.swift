import CeleryWorker
import Synchronization

/// Where tasks find the worker that runs them: it is made after they are registered.
final class WorkerHolder: Sendable {
    /// There is no worker yet.
    struct Empty: Error {}

    private let held = Mutex<Worker?>(nil)

    /// Tells which worker it is.
    func set(_ worker: Worker) { held.withLock { $0 = worker } }

    /// The worker.
    ///
    /// - Throws: `Empty`.
    func worker() throws -> Worker {
        guard let worker = held.withLock({ $0 }) else { throw Empty() }
        return worker
    }
}
