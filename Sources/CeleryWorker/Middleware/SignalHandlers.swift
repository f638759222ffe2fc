import Celery
import Logging

/// The handlers of one signal.
struct SignalHandlers<Payload: Sendable>: Sendable {
    typealias Handler = @Sendable (Payload) throws -> Void

    private let name: String
    private var handlers: [Handler] = []

    init(_ name: String) {
        self.name = name
    }

    var isEmpty: Bool { handlers.isEmpty }

    mutating func add(_ handler: @escaping Handler) { handlers.append(handler) }

    /// Calls the handlers; nothing is made for them where there are none.
    func send(_ payload: @autoclosure () -> Payload, _ logger: @autoclosure () -> Logger) {
        if handlers.isEmpty { return }
        let payload = payload()
        for handler in handlers {
            do {
                try handler(payload)
            } catch {
                logger().error("A handler of the signal \(name) raised: \(error)")
            }
        }
    }
}

/// The handlers of all signals.
struct SignalTable: Sendable {
    var taskReceived = SignalHandlers<TaskSignal.Received>("task_received")
    var taskPrerun = SignalHandlers<TaskContext>("task_prerun")
    var taskPostrun = SignalHandlers<TaskSignal.Postrun>("task_postrun")
    var taskSuccess = SignalHandlers<TaskSignal.Success>("task_success")
    var taskFailure = SignalHandlers<TaskSignal.Failure>("task_failure")
    var taskRetry = SignalHandlers<TaskSignal.Retry>("task_retry")
    var taskRevoked = SignalHandlers<TaskSignal.Revoked>("task_revoked")
    var taskUnknown = SignalHandlers<TaskSignal.Unknown>("task_unknown")
    var taskRejected = SignalHandlers<TaskSignal.Rejected>("task_rejected")
    var beforeTaskPublish = SignalHandlers<TaskPublication>("before_task_publish")
    var afterTaskPublish = SignalHandlers<TaskPublication>("after_task_publish")
    var workerInit = SignalHandlers<WorkerSignal>("worker_init")
    var workerProcessInit = SignalHandlers<WorkerSignal>("worker_process_init")
    var workerReady = SignalHandlers<WorkerSignal>("worker_ready")
    var workerShuttingDown = SignalHandlers<WorkerSignal>("worker_shutting_down")
    var workerShutdown = SignalHandlers<WorkerSignal>("worker_shutdown")

    /// Whether anybody wants to know of runs.
    var watchesRuns: Bool {
        !(taskPrerun.isEmpty && taskPostrun.isEmpty && taskSuccess.isEmpty && taskFailure.isEmpty && taskRetry.isEmpty)
    }
}
