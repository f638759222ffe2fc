public import AMQP

/// A task queue: what is declared, bound, published to and consumed; kombu's `Queue`.
public struct Queue: Sendable, Hashable {
    /// A further binding of the queue, beside the one to its own exchange.
    public struct Binding: Sendable, Hashable {
        /// The exchange that is bound to.
        public var exchange: ExchangeDeclaration
        /// The binding's key.
        public var routingKey: String
        /// The binding's arguments.
        public var arguments: FieldTable

        /// Makes a binding.
        public init(exchange: ExchangeDeclaration, routingKey: String, arguments: FieldTable = [:]) {
            self.exchange = exchange
            self.routingKey = routingKey
            self.arguments = arguments
        }
    }

    /// How the queue itself is declared; its name is the queue's name.
    public var declaration: QueueDeclaration
    /// The exchange that the queue is bound to; nil for the default exchange of the configuration.
    public var exchange: ExchangeDeclaration?
    /// The binding's key, and the key that tasks are published with; nil for the default key of the configuration.
    public var routingKey: String?
    /// The binding's arguments (`binding_arguments`).
    public var bindingArguments: FieldTable
    /// Further bindings (`bindings`).
    public var bindings: [Binding]
    /// Arguments of a worker's consumer (`consumer_arguments`).
    public var consumerArguments: FieldTable
    /// Delivery mode of tasks that are published to the queue (kombu keeps it in the exchange); nil for the default.
    public var deliveryMode: DeliveryMode?
    /// Whether the queue and its exchange are taken as they are (`no_declare`).
    public var noDeclare: Bool
    /// Whether this is a broadcast: publishers declare nothing, every worker has a queue of its own.
    public internal(set) var isBroadcast: Bool = false

    /// The queue's name.
    public var name: String {
        get { declaration.name }
        set { declaration.name = newValue }
    }

    /// The priority of a worker's consumer among all of the queue (`x-priority` in `consumer_arguments`); nil for 0.
    ///
    /// The broker gives messages to the consumers of the highest priority as long as one of them has credit.
    public var consumerPriority: Int? {
        get { consumerArguments["x-priority"]?.intValue }
        set { consumerArguments["x-priority"] = newValue.map { .integer($0) } }
    }

    /// Whether it is declared as a replicated quorum queue.
    package var isQuorum: Bool { declaration.arguments["x-queue-type"] == .string(QueueType.quorum.rawValue) }

    /// Whether the broker gives its messages to one consumer at a time (`x-single-active-consumer`).
    package var isSingleActive: Bool { declaration.arguments["x-single-active-consumer"]?.boolValue == true }

    /// Makes a queue; what is left out comes from the configuration, as for kombu's `Queue` in `task_queues`.
    public init(
        _ name: String,
        exchange: ExchangeDeclaration? = nil,
        routingKey: String? = nil,
        arguments: FieldTable = [:],
        durable: Bool = true,
        exclusive: Bool = false,
        autoDelete: Bool = false,
        bindingArguments: FieldTable = [:],
        bindings: [Binding] = [],
        consumerArguments: FieldTable = [:],
        deliveryMode: DeliveryMode? = nil,
        noDeclare: Bool = false
    ) {
        declaration = QueueDeclaration(
            name: name,
            durable: durable,
            exclusive: exclusive,
            autoDelete: autoDelete,
            arguments: arguments
        )
        self.exchange = exchange
        self.routingKey = routingKey
        self.bindingArguments = bindingArguments
        self.bindings = bindings
        self.consumerArguments = consumerArguments
        self.deliveryMode = deliveryMode
        self.noDeclare = noDeclare
    }

    /// A broadcast: a fanout exchange of this name, from which every worker gets its copy; kombu's `Broadcast`.
    public static func broadcast(_ name: String) -> Queue {
        var queue = Queue(
            name,
            exchange: ExchangeDeclaration(name: name, type: "fanout"),
            autoDelete: true
        )
        queue.isBroadcast = true
        return queue
    }
}

extension Queue: ExpressibleByStringLiteral {
    /// A queue with the exchange and key of the configuration.
    public init(stringLiteral name: String) {
        self.init(name)
    }
}
