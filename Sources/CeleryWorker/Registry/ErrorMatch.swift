import CeleryProtocol

/// Tells whether an error is of a kind, for automatic retries and for errors that a task announces.
public struct ErrorMatch: Sendable {
    private let matchesError: @Sendable (any Error) -> Bool
    /// Whether an exception that the worker itself raises for the task is of the kind; it has only a name.
    private let matchesException: @Sendable (ExceptionInfo) -> Bool

    /// Errors of a Swift type.
    public static func type<Failure: Error>(_ type: Failure.Type) -> ErrorMatch {
        ErrorMatch(matchesError: { $0 is Failure }, matchesException: { _ in false })
    }

    /// Errors that a caller sees under this name, with its module (`builtins.ValueError`) or without (`ValueError`).
    ///
    /// A ``TaskError`` has the name that it was made with, any other Swift error that of its type. A body that its soft time
    /// limit has cancelled throws `SoftTimeLimitExceeded`.
    public static func named(_ name: String) -> ErrorMatch {
        let matches: @Sendable (ExceptionInfo) -> Bool = { exception in
            exception.type == name || exception.module.map { "\($0).\(exception.type)" == name } ?? false
        }
        return ErrorMatch(matchesError: { matches(ExceptionInfo(mapping: $0)) }, matchesException: matches)
    }

    /// Errors of which this is true.
    public static func matching(_ predicate: @escaping @Sendable (any Error) -> Bool) -> ErrorMatch {
        ErrorMatch(matchesError: predicate, matchesException: { _ in false })
    }

    /// All errors.
    ///
    /// Celery: `Exception`.
    public static let any = ErrorMatch(matchesError: { _ in true }, matchesException: { _ in true })
}

extension Sequence where Element == ErrorMatch {
    /// Whether one of them matches an error that a body threw.
    func match(_ error: any Error) -> Bool { contains { $0.matches(error) } }

    /// Whether one of them matches an exception that the worker raises.
    func match(_ exception: ExceptionInfo) -> Bool { contains { $0.matches(exception) } }
}

extension ErrorMatch {
    fileprivate func matches(_ error: any Error) -> Bool { matchesError(error) }

    fileprivate func matches(_ exception: ExceptionInfo) -> Bool { matchesException(exception) }
}
