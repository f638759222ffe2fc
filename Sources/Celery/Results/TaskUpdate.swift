/// News of a task: a state and what came with it.
public struct TaskUpdate: Sendable, Hashable {
    /// The task's id.
    public let id: String
    /// The state.
    public let state: TaskState
    /// What came with the state: the result, the exception's map, or the meta data of a custom state.
    public let info: JSONValue
    /// The traceback, where the state is an exception's.
    public let traceback: String?

    /// Makes an update.
    public init(id: String, state: TaskState, info: JSONValue = .null, traceback: String? = nil) {
        self.id = id
        self.state = state
        self.info = info
        self.traceback = traceback
    }

    package init(_ message: ResultMessage) {
        self.init(id: message.taskID, state: message.state, info: message.result, traceback: message.traceback)
    }
}
