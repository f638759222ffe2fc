/// The name of a task with the types of its positional arguments and of its result, shared by caller and worker.
///
/// ```swift
/// static let add = TaskName("proj.add", Int.self, Int.self, returning: Int.self)
/// let call = add(2, 3)
/// ```
public struct TaskName<each Argument: Codable & Sendable, Output: Codable & Sendable>: Sendable {
    /// The task's name.
    public let name: String
    /// The task's own options, shared by all calls.
    package let declared: DeclaredTask

    /// Makes a typed name.
    ///
    /// - Parameters:
    ///   - name: the task's name.
    ///   - arguments: the types of the positional arguments.
    ///   - output: the type of the result; ``NoResult`` for a task that returns nothing.
    ///   - options: the task's own options, which count where a send leaves them out (a Python task's attributes).
    public init(
        _ name: String,
        _ arguments: repeat (each Argument).Type,
        returning output: Output.Type,
        options: TaskOptions = TaskOptions()
    ) {
        self.name = name
        declared = DeclaredTask(options: options)
    }

    /// The task's own options, which count where a send leaves them out.
    public var options: TaskOptions { declared.options }

    /// A call of the task with these arguments.
    public func callAsFunction(_ argument: repeat each Argument) -> TaskCall<Output> {
        var arguments = ArgumentEncoder()
        repeat arguments.append(each argument)
        return TaskCall(task: name, arguments: arguments, declared: declared)
    }
}
