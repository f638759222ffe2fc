import CeleryProtocol
import Synchronization

/// One run of a task: its request, its decoded body, and what it has sent so far.
final class TaskRun: Sendable {
    let request: TaskRequest
    let body: TaskBody
    private let sentTasks = Mutex<[ResultTuple]>([])

    init(request: TaskRequest, body: TaskBody) {
        self.request = request
        self.body = body
    }

    /// Remembers a task that this run has sent (Celery's `trail`).
    func addChild(_ child: ResultTuple) {
        sentTasks.withLock { $0.append(child) }
    }

    /// The tasks that this run has sent, in order.
    var children: [JSONValue] { sentTasks.withLock { $0.map(\.json) } }

    /// The first task of the workflow.
    var rootID: String {
        guard let root = request.envelope.headers.rootID, !root.isEmpty else { return request.id }
        return root
    }
}
