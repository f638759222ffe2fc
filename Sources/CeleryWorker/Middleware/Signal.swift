public import Celery

/// An event in the life of a worker or a task that handlers can be registered for (Celery's signals).
///
/// ```swift
/// registry.on(.taskFailure) { failure in metrics.count(failure.headers.task) }
/// ```
/// Handlers are called one after the other in the order of their registration. What one throws is logged and changes
/// nothing. They have to be quick: the worker waits for them.
public struct Signal<Payload: Sendable>: Sendable {
    let handlers: any WritableKeyPath<SignalTable, SignalHandlers<Payload>> & Sendable

    fileprivate init(_ handlers: any WritableKeyPath<SignalTable, SignalHandlers<Payload>> & Sendable) {
        self.handlers = handlers
    }
}

extension Signal where Payload == TaskSignal.Received {
    /// `task_received`: a task has come from the broker; called in the worker's process, where it takes in messages.
    public static var taskReceived: Signal { Signal(\.taskReceived) }
}

extension Signal where Payload == TaskContext {
    /// `task_prerun`: a task is about to run; called where its body runs, so in a child where there are any.
    public static var taskPrerun: Signal { Signal(\.taskPrerun) }
}

extension Signal where Payload == TaskSignal.Postrun {
    /// `task_postrun`: a body has ended, in whatever way; called where it ran.
    ///
    /// Not where its process was killed.
    public static var taskPostrun: Signal { Signal(\.taskPostrun) }
}

extension Signal where Payload == TaskSignal.Success {
    /// `task_success`: a body has returned; called where it ran, before the result and what follows it are sent.
    public static var taskSuccess: Signal { Signal(\.taskSuccess) }
}

extension Signal where Payload == TaskSignal.Failure {
    /// `task_failure`: a task has failed; called where its body ran.
    ///
    /// In the worker's process where the worker fails it: at a hard time limit, when its process has died, when what follows
    /// it cannot be sent, and after a `Reject` without requeueing.
    public static var taskFailure: Signal { Signal(\.taskFailure) }
}

extension Signal where Payload == TaskSignal.Retry {
    /// `task_retry`: a task is to run again; called where its body ran, before the retry is sent.
    ///
    /// In the worker's process where the worker retries it: when its process has died, and when it was cancelled.
    public static var taskRetry: Signal { Signal(\.taskRetry) }
}

extension Signal where Payload == TaskSignal.Revoked {
    /// `task_revoked`: a task was revoked, or has expired; called in the worker's process.
    public static var taskRevoked: Signal { Signal(\.taskRevoked) }
}

extension Signal where Payload == TaskSignal.Unknown {
    /// `task_unknown`: a task came that nobody has registered; called in the worker's process.
    public static var taskUnknown: Signal { Signal(\.taskUnknown) }
}

extension Signal where Payload == TaskSignal.Rejected {
    /// `task_rejected`: a message came that cannot be read; called in the worker's process.
    public static var taskRejected: Signal { Signal(\.taskRejected) }
}

extension Signal where Payload == TaskPublication {
    /// `before_task_publish`: the worker is about to publish a task, for a running one or after one; called in its process.
    ///
    /// A ``PublishMiddleware`` can change what is published; a client has only those.
    public static var beforeTaskPublish: Signal { Signal(\.beforeTaskPublish) }

    /// `after_task_publish`: the broker has taken a task that the worker has published; called in the worker's process.
    public static var afterTaskPublish: Signal { Signal(\.afterTaskPublish) }
}

extension Signal where Payload == WorkerSignal {
    /// `worker_init`: the worker is about to start; called in its process.
    public static var workerInit: Signal { Signal(\.workerInit) }

    /// `worker_process_init`: a process that runs tasks has started; called in it, so in each child where there are any.
    public static var workerProcessInit: Signal { Signal(\.workerProcessInit) }

    /// `worker_ready`: all queues are consumed for the first time; called in the worker's process.
    public static var workerReady: Signal { Signal(\.workerReady) }

    /// `worker_shutting_down`: the worker begins to end, its tasks still run; called in its process.
    public static var workerShuttingDown: Signal { Signal(\.workerShuttingDown) }

    /// `worker_shutdown`: all tasks have ended and their results are sent; called in the worker's process.
    public static var workerShutdown: Signal { Signal(\.workerShutdown) }
}
