import Celery
import CeleryWorker

/// Tasks that end in their own process.
struct EndingTasks {
    private let outcome: Outcome
    private let notes: Notes

    init(notes: Notes) {
        outcome = Outcome(notes: notes)
        self.notes = notes
    }

    func register(in tasks: inout TaskRegistry) {
        registerValues(&tasks)
        registerFailures(&tasks)
        registerRetries(&tasks)
        registerOthers(&tasks)
        registerLimits(&tasks)
    }

    private func registerValues(_ tasks: inout TaskRegistry) {
        outcome.register("success", in: &tasks) { _ in "done" }
        outcome.register("started", in: &tasks, .init(trackStarted: true)) { _ in "done" }
        outcome.register("ignored_result", in: &tasks, .init(ignoreResult: true)) { _ in "done" }
        for mode in Outcome.modes {
            let options = Outcome.options(.init(), mode)
            tasks.register("\(mode).unencodable", options: options) { [notes] (context: TaskContext) in
                notes.begin(context.id)
                return Unencodable()
            }
            tasks.register("\(mode).wrong_arguments", options: options) { (number: Int) in number }
        }
    }

    private func registerFailures(_ tasks: inout TaskRegistry) {
        outcome.register("failure", in: &tasks) { _ in throw TaskError.valueError("no luck") }
        outcome.register("ignored_failure", in: &tasks, .init(ignoreResult: true)) { _ in
            throw TaskError.valueError("no luck")
        }
        outcome.register("stored_failure", in: &tasks, .init(ignoreResult: true, storeErrorsEvenIfIgnored: true)) { _ in
            throw TaskError.valueError("no luck")
        }
        outcome.register("expected", in: &tasks, .init(expectedErrors: [.named("ValueError")])) { _ in
            throw TaskError.valueError("no luck")
        }
    }

    private func registerRetries(_ tasks: inout TaskRegistry) {
        outcome.register("retry", in: &tasks) { context in
            if context.retries > 0 { return "done" }
            throw context.retry(after: .milliseconds(100), cause: TaskError.valueError("not yet"))
        }
        outcome.register("retry_without_cause", in: &tasks) { context in
            if context.retries > 0 { return "done" }
            throw context.retry(after: .milliseconds(100))
        }
        outcome.register("exhausted", in: &tasks, .init(maxRetries: 1)) { context in
            throw context.retry(after: .milliseconds(100), cause: TaskError.valueError("no luck"))
        }
        outcome.register("exhausted_without_cause", in: &tasks, .init(maxRetries: 1)) { context in
            throw context.retry(after: .milliseconds(100))
        }
        let values = AutoRetry(on: [.named("ValueError")], backoff: 1, backoffMax: .seconds(1), jitter: false)
        outcome.register("autoretry", in: &tasks, .init(autoRetry: values)) { context in
            if context.retries > 0 { return "done" }
            throw TaskError.valueError("not yet")
        }
        outcome.register("autoretry_exhausted", in: &tasks, .init(maxRetries: 1, autoRetry: values)) { _ in
            throw TaskError.valueError("no luck")
        }
        let others = AutoRetry(on: [.any], except: [.named("ValueError")])
        outcome.register("autoretry_excepted", in: &tasks, .init(autoRetry: others)) { _ in
            throw TaskError.valueError("no luck")
        }
    }

    private func registerOthers(_ tasks: inout TaskRegistry) {
        outcome.register("ignore", in: &tasks) { _ in throw Ignore() }
        outcome.register("reject", in: &tasks) { _ in throw Reject("not mine") }
        outcome.register("requeue", in: &tasks) { _ in throw Reject("not now", requeue: true) }
        for mode in Outcome.modes {
            tasks.register("\(mode).replace", options: Outcome.options(.init(), mode)) {
                [notes] (context: TaskContext, queue: String) async throws -> String in
                notes.begin(context.id)
                let other = Signature("follow.replacement", args: [1], options: TaskOptions(queue: queue))
                throw try await context.replace(with: other)
            }
        }
    }

    private func registerLimits(_ tasks: inout TaskRegistry) {
        outcome.register("sleep", in: &tasks) { _ in try await Self.nap() }
        outcome.register("soft_limit", in: &tasks, .init(softTimeLimit: .milliseconds(500))) { _ in try await Self.nap() }
        outcome.register("soft_limit_caught", in: &tasks, .init(softTimeLimit: .milliseconds(500))) { _ in
            do {
                return try await Self.nap()
            } catch is CancellationError {
                return "caught"
            }
        }
        outcome.register("hard_limit", in: &tasks, .init(timeLimit: .seconds(1))) { _ in try await Self.nap() }
    }

    private static func nap() async throws -> String {
        try await Task.sleep(for: .seconds(30))
        return "done"
    }
}

/// A value that says that it cannot be written.
private struct Unencodable: Encodable {
    func encode(to encoder: any Encoder) throws {
        throw EncodingError.invalidValue(self, .init(codingPath: encoder.codingPath, debugDescription: "no such thing"))
    }
}
