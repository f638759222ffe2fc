public import Celery
import CeleryProtocol

extension TaskRegistry {
    /// Registers the body of a task whose name and types are shared with its callers.
    ///
    /// Without `arguments` the task takes positional arguments only; with names its callers may use keywords too.
    public mutating func register<each Argument: Codable & Sendable, Output: Codable & Sendable>(
        _ task: TaskName<repeat each Argument, Output>,
        arguments: Parameter...,
        options: TaskRegistrationOptions = .init(),
        _ body: @escaping @Sendable @concurrent (TaskContext, repeat each Argument) async throws -> Output
    ) {
        let binder = PackBinder<repeat each Argument>(taskName: task.name, parameters: arguments)
        add(task.name, options) { context, args, kwargs in
            let values = try binder.bind(args, kwargs)
            return try ResultEncoding.result(try await body(context, repeat each values))
        }
    }

    /// Registers a task by name; the types are those of the closure's parameters.
    public mutating func register<each Argument: Decodable & Sendable, Output: Encodable & Sendable>(
        _ name: String,
        arguments: Parameter...,
        options: TaskRegistrationOptions = .init(),
        _ body: @escaping @Sendable @concurrent (repeat each Argument) async throws -> Output
    ) {
        let binder = PackBinder<repeat each Argument>(taskName: name, parameters: arguments)
        add(name, options) { _, args, kwargs in
            let values = try binder.bind(args, kwargs)
            return try ResultEncoding.result(try await body(repeat each values))
        }
    }

    /// Registers a task by name whose body wants its context.
    public mutating func register<each Argument: Decodable & Sendable, Output: Encodable & Sendable>(
        _ name: String,
        arguments: Parameter...,
        options: TaskRegistrationOptions = .init(),
        _ body: @escaping @Sendable @concurrent (TaskContext, repeat each Argument) async throws -> Output
    ) {
        let binder = PackBinder<repeat each Argument>(taskName: name, parameters: arguments)
        add(name, options) { context, args, kwargs in
            let values = try binder.bind(args, kwargs)
            return try ResultEncoding.result(try await body(context, repeat each values))
        }
    }

    /// Registers a task by name that returns nothing; its result is null.
    public mutating func register<each Argument: Decodable & Sendable>(
        _ name: String,
        arguments: Parameter...,
        options: TaskRegistrationOptions = .init(),
        _ body: @escaping @Sendable @concurrent (repeat each Argument) async throws -> Void
    ) {
        let binder = PackBinder<repeat each Argument>(taskName: name, parameters: arguments)
        add(name, options) { _, args, kwargs in
            let values = try binder.bind(args, kwargs)
            try await body(repeat each values)
            return .null
        }
    }

    /// Registers a task by name whose body wants its context and returns nothing; its result is null.
    public mutating func register<each Argument: Decodable & Sendable>(
        _ name: String,
        arguments: Parameter...,
        options: TaskRegistrationOptions = .init(),
        _ body: @escaping @Sendable @concurrent (TaskContext, repeat each Argument) async throws -> Void
    ) {
        let binder = PackBinder<repeat each Argument>(taskName: name, parameters: arguments)
        add(name, options) { context, args, kwargs in
            let values = try binder.bind(args, kwargs)
            try await body(context, repeat each values)
            return .null
        }
    }
}
