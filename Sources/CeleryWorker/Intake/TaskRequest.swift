import AMQPValues
import CeleryProtocol
import Synchronization

/// Where a delivery came from.
///
/// Celery: `delivery_info`.
public struct DeliveryInfo: Sendable, Hashable {
    /// The exchange that the message was published to; empty for the default one.
    public let exchange: String
    /// The routing key that it was published with.
    public let routingKey: String
    /// The message's priority, if it has one.
    public let priority: UInt8?
    /// Whether the broker delivered it before.
    public let redelivered: Bool
}

/// One task message on its way through the worker, with the delivery that has to be settled.
final class TaskRequest: Sendable {
    let task: WorkerTask
    let envelope: TaskEnvelope
    let delivery: DeliveryID
    let epoch: ChannelEpoch
    let info: DeliveryInfo
    /// Whether a result is sent.
    let wantsResult: Bool
    /// Time after which the task must not start, in microseconds since 1970.
    let expires: Int64?
    /// When the message came, or a little earlier.
    let arrival: ContinuousClock.Instant
    /// Ends the run before it has ended by itself.
    let interruption = Interruption()
    /// Set by the run, before its slot is free, if it did not get as far as the task's body.
    let neverBegan = Atomic(false)
    /// When its body began, in microseconds since 1970; 0 before.
    let startedAt = Atomic<Int64>(0)
    /// The child process that runs it; 0 where it runs in the worker's own.
    let processID = Atomic<Int>(0)
    /// Set by whoever tells the caller that a shutdown has cancelled the run: once is enough.
    let isReportedCancelled = Atomic(false)
    /// Set when its run was reported to be longer than the broker waits.
    let isOverdue = Atomic(false)

    init(
        task: WorkerTask,
        envelope: TaskEnvelope,
        delivery: DeliveryID,
        epoch: ChannelEpoch,
        info: DeliveryInfo,
        wantsResult: Bool,
        expires: Int64?,
        arrival: ContinuousClock.Instant
    ) {
        self.task = task
        self.envelope = envelope
        self.delivery = delivery
        self.epoch = epoch
        self.info = info
        self.wantsResult = wantsResult
        self.expires = expires
        self.arrival = arrival
    }

    /// What copies of the message have in common.
    var key: TaskKey { TaskKey(envelope.headers) }
    var id: String { envelope.headers.id }
    /// Whether the delivery is acknowledged after the outcome instead of at the start.
    var acksLate: Bool { task.acksLate }

    /// Whether outcomes that are no success are sent to the caller (Celery's `store_errors`).
    var wantsErrors: Bool { wantsResult || task.storesIgnoredErrors }

    /// What logs call the task: `NAME[ID]`.
    var label: String { "\(envelope.headers.displayName.loggable)[\(envelope.headers.id.loggable)]" }

    /// Where results go; nil where nobody waits.
    var replyTo: String? {
        guard let name = envelope.properties.replyTo, !name.isEmpty else { return nil }
        return name
    }
}
