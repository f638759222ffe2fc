import Celery
import CeleryProtocol

/// A run of `celery.map` or `celery.starmap`: calls the body of another task for each element, in this run's place.
struct MappedTask {
    private let context: TaskContext
    private let body: RegisteredTask.Body
    private let elements: [JSONValue]

    /// Reads the call.
    ///
    /// - Throws: ``TaskError`` as Python would raise it: `TypeError` for wrong arguments, `NotRegistered` for a task that is
    ///   not known here.
    init(_ context: TaskContext, function: String, _ args: [JSONValue], _ kwargs: JSONObject) throws {
        let slots = ["task", "it"].map { ArgumentBinding.Slot(name: $0, isOptional: false, defaultValue: nil) }
        let values = try ArgumentBinding(taskName: function, slots: slots).bind(args, kwargs)
        guard let task = values[0], let elements = values[1]?.arrayValue else {
            throw TaskError(type: "TypeError", "\(function)() needs a list of elements")
        }
        let signature = try Signature(decoding: task)
        guard let body = context.invocation.task.library.body(of: signature.task) else {
            throw TaskError(type: "NotRegistered", module: "celery.exceptions", signature.task)
        }
        self.context = context
        self.body = body
        self.elements = elements
    }

    /// The arguments of one call of a starmap.
    static func arguments(_ element: JSONValue) throws -> [JSONValue] {
        guard let arguments = element.arrayValue else {
            throw TaskError(type: "TypeError", "argument after * must be an iterable, not \(element.pythonTypeName)")
        }
        return arguments
    }

    /// Calls the task for each element, and answers the list of its results.
    func run(arguments: (JSONValue) throws -> [JSONValue]) async throws -> JSONValue {
        var results: [JSONValue] = []
        results.reserveCapacity(elements.count)
        for element in elements {
            try Task.checkCancellation()
            do {
                results.append(try await body(context, try arguments(element), [:]))
            } catch let retry as Retry {
                throw Self.failure(of: retry)
            }
        }
        return .array(results)
    }

    /// A task that is called directly cannot be retried by itself (`celery.app.task.Task.retry`).
    private static func failure(of retry: Retry) -> any Error {
        retry.cause ?? TaskError(type: "Retry", module: "celery.exceptions", "Task can be retried")
    }
}
