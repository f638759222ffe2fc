import Celery
import CeleryWorker

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Tasks that bring down their process.
struct LosingTasks {
    private let outcome: Outcome

    init(notes: Notes) {
        outcome = Outcome(notes: notes)
    }

    func register(in tasks: inout TaskRegistry) {
        outcome.register("lost", in: &tasks) { _ in Self.die() }
        outcome.register("lost_later", in: &tasks) { _ in
            try await Task.sleep(for: .milliseconds(500))
            return Self.die()
        }
        outcome.register("lost_exit", in: &tasks) { _ in exit(0) }
        outcome.register("lost_rejected", in: &tasks, .init(rejectOnWorkerLost: true)) { _ in Self.die() }
        outcome.register("poison", in: &tasks, .init(rejectOnWorkerLost: true), comesBack: true) { _ in Self.die() }
        outcome.register(
            "lost_retried",
            in: &tasks,
            .init(retryOnWorkerLost: true, retryDelay: .milliseconds(100))
        ) { context in
            context.retries > 0 ? "done" : Self.die()
        }
        outcome.register(
            "lost_retried_exhausted",
            in: &tasks,
            .init(retryOnWorkerLost: true, maxRetries: 1, retryDelay: .milliseconds(100))
        ) { _ in
            Self.die()
        }
    }

    private static func die() -> String {
        kill(getpid(), SIGKILL)
        while true { pause() }
    }
}
