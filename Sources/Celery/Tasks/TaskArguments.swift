/// The keyword arguments of a task as a structure; its name and result type belong to it.
///
/// ```swift
/// struct ResizeImage: TaskArguments {          // Python: def resize(url, width=640)
///     typealias Output = String
///     static let taskName = "proj.resize"
///     var url: String
///     var width: Int?
/// }
/// ```
public protocol TaskArguments: Codable & Sendable {
    /// What the task returns.
    associatedtype Output: Codable & Sendable

    /// The task's name.
    static var taskName: String { get }

    /// The task's own options, which count where a send leaves them out; none by default.
    static var taskOptions: TaskOptions { get }
}

extension TaskArguments {
    /// No options.
    public static var taskOptions: TaskOptions { TaskOptions() }

    /// A call of the task with these keyword arguments.
    ///
    /// Properties that are nil are left out, so that the task's own defaults hold.
    public func call() -> TaskCall<Output> {
        TaskCall(task: Self.taskName, keywords: self, declared: DeclaredTask(options: Self.taskOptions))
    }
}
