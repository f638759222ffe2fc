/// What an exchange has to be.
public struct ExchangeDeclaration: Sendable, Hashable {
    /// `direct`, `fanout`, `topic`, `headers` or a plug-in's type.
    public var type: String
    /// The exchange's name.
    public var name: String
    /// Only ask whether the exchange exists; the other settings are then not compared.
    public var passive: Bool
    /// Whether it survives a restart of the broker.
    public var durable: Bool
    /// Whether it goes when its last binding goes.
    public var autoDelete: Bool
    /// Whether only other exchanges may publish to it.
    public var `internal`: Bool
    /// Further arguments.
    public var arguments: FieldTable

    /// Makes a declaration; the defaults are kombu's.
    public init(
        name: String,
        type: String = "direct",
        passive: Bool = false,
        durable: Bool = true,
        autoDelete: Bool = false,
        internal: Bool = false,
        arguments: FieldTable = [:]
    ) {
        self.name = name
        self.type = type
        self.passive = passive
        self.durable = durable
        self.autoDelete = autoDelete
        self.internal = `internal`
        self.arguments = arguments
    }
}
