import Celery
import CeleryWorker
import Synchronization

/// Tasks that are many at a time.
final class CrowdTasks: Sendable {
    private struct Counts {
        var running = 0
        var most = 0
    }

    private let counts = Mutex(Counts())

    func register(in tasks: inout TaskRegistry) {
        tasks.register("crowd.sleep") { [self] (seconds: Double) in
            enter()
            defer { leave() }
            try await Task.sleep(for: .seconds(seconds))
        }
        tasks.register("crowd.most") { [self] () in counts.withLock { $0.most } }
    }

    private func enter() {
        counts.withLock {
            $0.running += 1
            $0.most = max($0.most, $0.running)
        }
    }

    private func leave() {
        counts.withLock { $0.running -= 1 }
    }
}
