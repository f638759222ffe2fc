import Celery
import CeleryProtocol
import Logging

/// What a running body reaches outside of itself: directly in the worker's process, over the pipe in a child.
protocol TaskHost: Sendable {
    /// The node name of the worker.
    var hostname: String { get }

    /// The tasks that the run has sent so far.
    var children: [ResultTuple] { get }

    /// A logger whose lines carry the identity of the task.
    func logger(for envelope: TaskEnvelope) -> Logger

    /// Tells the caller of a state on the way to the outcome.
    func updateState(_ state: TaskState, meta: JSONValue) async

    /// Sends a task as a child of the run.
    ///
    /// - Returns: the id of the last task; of a group the group's.
    func send(_ signature: Signature, options: TaskOptions) async throws(CeleryError) -> String

    /// Sends a signature in the place of the run's task, under its id.
    func replace(with signature: Signature) async throws(CeleryError)
}
