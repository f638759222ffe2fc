/// A delivery that waits for its time or its turn, its message packed.
struct ParkedDelivery: Sendable {
    /// The message, as `MessagePacker` packs it.
    let message: [UInt8]
    let delivery: DeliveryID
    let epoch: ChannelEpoch
    let consumerTag: String
    /// Whether the broker delivered it before.
    let redelivered: Bool
    /// When the task may start, in microseconds since 1970.
    let eta: Int64
    /// Time after which it must not start, in microseconds since 1970.
    let expires: Int64?
    /// When the delivery has to have left the worker, in microseconds since 1970; nil for never.
    let deadline: Int64?
    /// When the message came, or a little earlier.
    let arrival: ContinuousClock.Instant
    /// Its place among the deliveries of its channel.
    var tag: UInt64 = 0
    /// The name of its task.
    var task = ""
    /// The hash of its task's id, which finds a revoked one among many without unpacking them.
    var idHash = 0

    /// Whether the broker has delivered it after the other one.
    func isBehind(_ other: ParkedDelivery) -> Bool { epoch == other.epoch && tag > other.tag }

    /// When something is to be done about it: start, expiry or departure, whichever is first.
    var nextStep: Int64 { min(eta, expires.map { $0 == .max ? $0 : $0 + 1 } ?? .max, deadline ?? .max) }
}
