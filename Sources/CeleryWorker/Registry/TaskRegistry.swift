public import Celery
public import CeleryProtocol

/// The tasks that a worker can run, by name.
///
/// A registry is a value: it is filled before the worker is made and does not change afterwards. A name that is
/// registered twice is reported when the worker is made.
///
/// Beside tasks it holds what stands around them: middlewares (``add(_:)``, ``add(publishing:)``) and handlers of signals
/// (``on(_:_:)``). Child processes have the same registry, and so the same of these.
public struct TaskRegistry: Sendable {
    private var tasks: [String: RegisteredTask] = [:]
    private var duplicates: [String] = []
    private var errbacks: [String: Errback] = [:]
    var middlewares: [any TaskMiddleware] = []
    var publishMiddlewares: [any PublishMiddleware] = []
    var signals = SignalTable()

    /// Makes a registry with the tasks that every Celery worker has.
    public init() {
        BuiltinTasks.register(in: &self)
    }

    /// The names of all tasks, sorted; Celery's own (`celery.…`) included.
    public var names: [String] { tasks.keys.sorted() }

    /// The tasks as a worker with these settings runs them.
    ///
    /// - Throws: ``CeleryError`` with the code `invalidConfiguration` if a name was registered twice, or a task's
    ///   settings cannot be used.
    func table(_ configuration: CeleryConfiguration) throws(CeleryError) -> TaskTable {
        guard duplicates.isEmpty else {
            let names = duplicates.sorted().joined(separator: ", ")
            throw CeleryError(.invalidConfiguration, "tasks are registered twice: \(names)")
        }
        let hooks = WorkerHooks(middlewares: middlewares, publishing: publishMiddlewares, signals: signals)
        return try TaskTable(tasks.values, configuration, hooks: hooks, errbacks: errbacks)
    }

    mutating func add(_ name: String, _ options: TaskRegistrationOptions, body: @escaping RegisteredTask.Body) {
        guard tasks[name] == nil else {
            duplicates.append(name)
            return
        }
        tasks[name] = RegisteredTask(name: name, options: options, body: body)
    }

    /// Adds an errback that is a task, too; one whose name is taken is reported with the tasks.
    mutating func add(_ errback: @escaping Errback, _ name: String, _ options: TaskRegistrationOptions) {
        if tasks[name] == nil { errbacks[name] = errback }
        add(name, options) { context, args, kwargs in
            try await errback(FailureReport(context, args, kwargs), context)
            return .null
        }
    }
}

extension TaskRegistry {
    /// Registers a task that takes its arguments as they came.
    public mutating func registerUntyped(
        _ name: String,
        options: TaskRegistrationOptions = .init(),
        _ body: @escaping @Sendable (TaskContext, [JSONValue], JSONObject) async throws -> JSONValue
    ) {
        add(name, options, body: body)
    }

    /// Registers the task of a `Codable` struct.
    ///
    /// Callers may give the properties by keyword, or by position in the order of their declaration. A property that is
    /// optional may be left out. Where the order cannot be found (see ``ParameterProbe``) only keywords are understood.
    public mutating func register<Arguments: TaskArguments>(
        _ type: Arguments.Type,
        options: TaskRegistrationOptions = .init(),
        _ body: @escaping @Sendable (Arguments, TaskContext) async throws -> Arguments.Output
    ) {
        let binder = StructBinder<Arguments>(taskName: Arguments.taskName)
        add(Arguments.taskName, options) { context, args, kwargs in
            try ResultEncoding.result(try await body(try binder.bind(args, kwargs), context))
        }
    }
}
