import CeleryProtocol
import Synchronization

/// One run of a task in the worker: its request, its decoded body, and what it has sent so far.
final class TaskRun: Sendable {
    let request: TaskRequest
    /// The call as its body sees it.
    let invocation: Invocation
    private let sent = Mutex<[ResultTuple]>([])
    private let start = Mutex<ContinuousClock.Instant?>(nil)
    private let additions = Atomic(0)
    /// Set once something else has taken the task's place, and its result.
    let isReplaced = Atomic(false)

    init(request: TaskRequest, body: TaskBody) {
        self.request = request
        invocation = Invocation(
            task: request.task,
            envelope: request.envelope,
            body: body,
            info: request.info,
            interruption: request.interruption
        )
    }

    /// The decoded body of the message.
    var body: TaskBody { invocation.body }

    /// The process of the body, where that is a child and known.
    var childProcess: Int? {
        get {
            let pid = request.processID.load(ordering: .relaxed)
            return pid == 0 ? nil : pid
        }
        set { request.processID.store(newValue ?? 0, ordering: .relaxed) }
    }

    /// Starts the clock: the body is about to run.
    func begin() { start.withLock { $0 = .now } }

    /// How long the body has run so far.
    var runtime: Duration { start.withLock { $0.map { ContinuousClock.now - $0 } ?? .zero } }

    /// Remembers a task that this run has sent, unless the task keeps no trail.
    func addChild(_ child: ResultTuple) {
        guard request.task.keepsTrail else { return }
        sent.withLock { $0.append(child) }
    }

    /// The number of the next signature that the run adds to its chord.
    func nextAddition() -> Int { additions.wrappingAdd(1, ordering: .relaxed).oldValue }

    /// The tasks that this run has sent, in order.
    var sentTasks: [ResultTuple] { sent.withLock { $0 } }

    /// The tasks that this run has sent, as results carry them.
    var children: [JSONValue] { sent.withLock { $0.map(\.json) } }
}
