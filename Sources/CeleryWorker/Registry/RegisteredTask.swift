import Celery
import CeleryProtocol

/// One task that the worker can run. Types are erased here: arguments and result are JSON values.
final class RegisteredTask: Sendable {
    /// A task's body behind the binding of its arguments.
    typealias Body = @Sendable (TaskContext, [JSONValue], JSONObject) async throws -> JSONValue

    let name: String
    let options: TaskRegistrationOptions
    let body: Body
    /// What counts for this task, besides its arguments, where the worker itself sends it.
    let sendOptions: TaskOptions

    init(name: String, options: TaskRegistrationOptions, body: @escaping Body) {
        self.name = name
        self.options = options
        self.body = body
        sendOptions = TaskOptions(
            timeLimit: options.timeLimit,
            softTimeLimit: options.softTimeLimit,
            ignoreResult: options.ignoreResult
        )
    }
}
