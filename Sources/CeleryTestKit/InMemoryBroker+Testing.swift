public import AMQP
internal import Celery

extension InMemoryBroker {
    // MARK: Faults

    /// Ends all connections, as a broken network does.
    ///
    /// Unsettled deliveries go back to their queues.
    public func failConnections(
        _ error: AMQPError = AMQPError(.connectionClosed, "the connection was failed by a test")
    ) {
        change { state in
            for id in state.connections.keys.sorted() { state.closeConnection(id, error) }
        }
    }

    /// Whether connecting fails.
    public var refusesConnections: Bool {
        get { read { $0.refusesConnections } }
        set { change { $0.refusesConnections = newValue } }
    }

    /// Whether publishes wait, as under RabbitMQ's resource alarms (`connection.blocked`).
    public var isBlocked: Bool {
        get { read { $0.isBlocked } }
        set { change { newValue ? $0.block() : $0.unblock() } }
    }

    /// Whether confirms are held back.
    ///
    /// Messages reach their queues all the same; a connection that fails meanwhile leaves their senders in doubt.
    public var holdsConfirms: Bool {
        get { read { $0.holdsConfirms } }
        set { change { newValue ? $0.holdsConfirms = true : $0.releaseConfirms() } }
    }

    /// Queues and exchanges that clients may use, but neither declare nor bind: the broker answers 403.
    public var protectedNames: Set<String> {
        get { read { $0.protectedNames } }
        set { change { $0.protectedNames = newValue } }
    }

    /// Whether settlements are lost on their way, as on a connection that is dead and not yet known to be.
    public var losesSettlements: Bool {
        get { read { $0.losesSettlements } }
        set { change { $0.losesSettlements = newValue } }
    }

    // MARK: Messages

    /// Puts a message into its queues, as somebody else's publish.
    ///
    /// - Throws: `AMQPError` with the code `unroutable` where the message is mandatory and no queue takes it.
    public func publish(_ message: OutgoingMessage) throws(AMQPError) {
        try update { state throws(AMQPError) in try state.route(message).get() }
    }

    /// The messages that wait in a queue, in their order.
    public func messages(in queue: String) -> [OutgoingMessage] {
        read { $0.queues[queue]?.messages.map(\.message) ?? [] }
    }

    /// Removes the messages that wait in a queue and answers them.
    public func takeMessages(from queue: String) -> [OutgoingMessage] {
        update { state in
            let messages = state.queues[queue]?.messages.map(\.message) ?? []
            _ = state.queues[queue]?.removeAll()
            return messages
        }
    }

    /// Deliveries of a queue that are not settled.
    public func unackedCount(of queue: String) -> Int {
        read { $0.queues[queue]?.unackedCount ?? 0 }
    }

    /// Messages that were published over channels so far.
    public var publishedCount: Int { read { $0.publishedCount } }

    // MARK: Topology

    /// Declares a queue, as somebody else's declaration; one of the name that is there stays as it is.
    public func declareQueue(_ declaration: QueueDeclaration) {
        change { state in
            if state.queues[declaration.name] == nil {
                state.queues[declaration.name] = MemoryQueue(declaration, owner: nil)
            }
        }
    }

    /// Declares a queue and binds it to an exchange that is there.
    public func declareQueue(_ declaration: QueueDeclaration, boundTo exchange: String, routingKey: String) {
        declareQueue(declaration)
        change { state in
            state.exchanges[exchange]?.bind(
                MemoryExchange.Binding(destination: .queue(declaration.name), routingKey: routingKey, arguments: [:])
            )
        }
    }

    /// Declares an exchange, as somebody else's declaration; one of the name that is there stays as it is.
    public func declareExchange(_ declaration: ExchangeDeclaration) {
        change { state in
            if state.exchanges[declaration.name] == nil {
                state.exchanges[declaration.name] = MemoryExchange(declaration)
            }
        }
    }

    /// Deletes an exchange with its bindings.
    public func deleteExchange(_ name: String) {
        change { $0.removeExchange(name) }
    }

    /// Deletes a queue; its consumers are told.
    public func deleteQueue(_ name: String) {
        change { $0.removeQueue(name) }
    }

    /// How a queue was declared; nil where there is none.
    public func declaration(ofQueue name: String) -> QueueDeclaration? {
        read { $0.queues[name]?.declaration }
    }

    /// How an exchange was declared; nil where there is none.
    public func declaration(ofExchange name: String) -> ExchangeDeclaration? {
        read { $0.exchanges[name]?.declaration }
    }

    /// The names of all queues.
    public var queueNames: Set<String> { read { Set($0.queues.keys) } }

    /// Whether a queue is bound to an exchange with this key.
    public func isBound(_ queue: String, to exchange: String, routingKey: String) -> Bool {
        read { state in
            state.exchanges[exchange]?.bindings.contains {
                $0.destination == .queue(queue) && $0.routingKey == routingKey
            } ?? false
        }
    }

    /// Consumers of a queue.
    public func consumerCount(of queue: String) -> Int {
        read { $0.queues[queue]?.consumers.count ?? 0 }
    }

    // MARK: Connections

    /// Connections that are open.
    public var openConnectionCount: Int { read { $0.connections.count } }

    /// Connections that were opened so far.
    public var connectionCount: Int { read { $0.connectionCount } }

    /// Settlements that came too late: twice, or after their channel's end.
    public var staleSettlementCount: Int { read { $0.staleSettlements } }

    func change(_ body: (inout BrokerState) -> Void) {
        update(body)
    }
}
