import Celery
import CeleryWorker

/// Registers a task once for each mode of acknowledgement.
///
/// Strict is late with neither failures nor time limits acknowledged. A task that comes back from the broker says so and
/// succeeds, so that nothing is put back for ever.
struct Outcome {
    typealias Body = @Sendable (TaskContext) async throws -> String

    static let modes = ["early", "late", "strict"]

    let notes: Notes

    func register(
        _ name: String,
        in tasks: inout TaskRegistry,
        _ options: TaskRegistrationOptions = .init(),
        comesBack: Bool = false,
        _ body: @escaping Body
    ) {
        for mode in Self.modes {
            tasks.register("\(mode).\(name)", options: Self.options(options, mode)) { [notes] (context: TaskContext) in
                notes.begin(context.id)
                if context.deliveryInfo.redelivered, !comesBack { return "again" }
                let value = try await body(context)
                notes.end(context.id)
                return value
            }
        }
    }

    static func options(_ options: TaskRegistrationOptions, _ mode: String) -> TaskRegistrationOptions {
        var options = options
        options.acks = mode == "early" ? .early : .late
        if mode == "strict" {
            options.acksOnFailure = false
            options.acksOnTimeout = false
        }
        return options
    }
}

extension TaskError {
    /// Python's `ValueError`.
    static func valueError(_ message: String) -> TaskError { TaskError(type: "ValueError", message) }
}
