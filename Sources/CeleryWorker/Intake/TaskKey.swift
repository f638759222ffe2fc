import CeleryProtocol

/// What tells one run of a task from every other: two deliveries with the same key are copies of one message.
///
/// A retry keeps the id and raises `retries`; a task that replaces itself (Celery's `Task.replace`) keeps the id and
/// raises `replaced_task_nesting`. Both have to run although the message before them was seen.
struct TaskKey: Sendable, Hashable {
    let id: String
    let retries: Int
    let nesting: Int

    init(id: String, retries: Int = 0, nesting: Int = 0) {
        self.id = id
        self.retries = retries
        self.nesting = nesting
    }

    init(_ headers: TaskHeaders) {
        self.init(id: headers.id, retries: headers.retries, nesting: headers.replacedTaskNesting)
    }
}
