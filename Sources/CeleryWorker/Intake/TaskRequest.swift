import AMQPValues
import CeleryProtocol

/// Where a delivery came from. Celery: `delivery_info`.
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
    let task: RegisteredTask
    let envelope: TaskEnvelope
    let delivery: DeliveryID
    let epoch: ChannelEpoch
    let info: DeliveryInfo
    /// Whether the delivery is acknowledged after the outcome instead of at the start.
    let acksLate: Bool
    /// Whether a result is sent.
    let wantsResult: Bool
    /// Time after which the task must not start, in microseconds since 1970.
    let expires: Int64?

    init(
        task: RegisteredTask,
        envelope: TaskEnvelope,
        delivery: DeliveryID,
        epoch: ChannelEpoch,
        info: DeliveryInfo,
        acksLate: Bool,
        wantsResult: Bool,
        expires: Int64?
    ) {
        self.task = task
        self.envelope = envelope
        self.delivery = delivery
        self.epoch = epoch
        self.info = info
        self.acksLate = acksLate
        self.wantsResult = wantsResult
        self.expires = expires
    }

    var headers: TaskHeaders { envelope.headers }
    var id: String { envelope.headers.id }

    /// What logs call the task: `NAME[ID]`.
    var label: String { "\(envelope.headers.displayName)[\(envelope.headers.id)]" }

    /// Where results go; nil where nobody waits.
    var replyTo: String? {
        guard let name = envelope.properties.replyTo, !name.isEmpty else { return nil }
        return name
    }
}
