import Celery
import CeleryProtocol

/// One task of a registry.
///
/// Types are erased here: arguments and result are JSON values.
struct RegisteredTask: Sendable {
    /// A task's body behind the binding of its arguments.
    typealias Body = @Sendable (TaskContext, [JSONValue], JSONObject) async throws -> JSONValue

    let name: String
    let options: TaskRegistrationOptions
    let body: Body
}
