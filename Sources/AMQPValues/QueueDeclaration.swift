/// What a queue has to be.
public struct QueueDeclaration: Sendable, Hashable {
    /// The queue's name; empty to have the broker make one.
    public var name: String
    /// Only ask whether the queue exists; the other settings are then not compared.
    public var passive: Bool
    /// Whether it survives a restart of the broker.
    public var durable: Bool
    /// Whether only this connection may use it.
    public var exclusive: Bool
    /// Whether it goes when its last consumer goes.
    public var autoDelete: Bool
    /// Further arguments, such as `x-queue-type`.
    public var arguments: FieldTable

    /// Makes a declaration; the defaults are kombu's.
    public init(
        name: String,
        passive: Bool = false,
        durable: Bool = true,
        exclusive: Bool = false,
        autoDelete: Bool = false,
        arguments: FieldTable = [:]
    ) {
        self.name = name
        self.passive = passive
        self.durable = durable
        self.exclusive = exclusive
        self.autoDelete = autoDelete
        self.arguments = arguments
    }
}
