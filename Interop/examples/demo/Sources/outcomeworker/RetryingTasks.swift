import Celery
import CeleryWorker

/// Tasks that are retried ten times, by Celery's formula for the waits.
enum RetryingTasks {
    static func register(in tasks: inout TaskRegistry) {
        register("backoff.plain", AutoRetry(on: [.any], backoff: 3, jitter: false), &tasks)
        register("backoff.jitter", AutoRetry(on: [.any], backoff: 3, jitter: true), &tasks)
        register("backoff.fraction", AutoRetry(on: [.any], backoff: 2.9, backoffMax: .seconds(100), jitter: false), &tasks)
        register("backoff.none", AutoRetry(on: [.any], countdown: .seconds(7)), &tasks)
        tasks.registerUntyped("retry.far") { context, _, _ in
            throw context.retry(after: .seconds(600), cause: TaskError.valueError("not yet"))
        }
    }

    private static func register(_ name: String, _ autoRetry: AutoRetry, _ tasks: inout TaskRegistry) {
        tasks.registerUntyped(name, options: .init(maxRetries: 10, autoRetry: autoRetry)) { _, _, _ in
            throw TaskError.valueError("not yet")
        }
    }
}
