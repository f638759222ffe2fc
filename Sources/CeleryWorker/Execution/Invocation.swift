import AMQPValues
import CeleryProtocol

/// A call of a task as its body sees it: what a child process has of a run, too.
///
/// Shared and not copied: running tasks by the thousand have it in several of their frames.
final class Invocation: Sendable {
    let task: WorkerTask
    let envelope: TaskEnvelope
    let body: TaskBody
    let info: DeliveryInfo
    let interruption: Interruption

    init(
        task: WorkerTask,
        envelope: TaskEnvelope,
        body: TaskBody,
        info: DeliveryInfo,
        interruption: Interruption
    ) {
        self.task = task
        self.envelope = envelope
        self.body = body
        self.info = info
        self.interruption = interruption
    }

    /// The first task of the workflow.
    var rootID: String {
        guard let root = envelope.headers.rootID, !root.isEmpty else { return envelope.headers.id }
        return root
    }

    /// Where results go; nil where nobody waits.
    var replyTo: String? {
        guard let name = envelope.properties.replyTo, !name.isEmpty else { return nil }
        return name
    }
}
