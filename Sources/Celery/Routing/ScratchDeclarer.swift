internal import AMQP
internal import Logging

/// Declares over channels that nothing else uses, a new one after each refusal, and adopts what is there.
///
/// `close()` has to be called at the end.
struct ScratchDeclarer {
    private let connection: any BrokerConnection
    let logger: Logger
    let memory: TopologyMemory
    private var channel: (any BrokerChannel)?

    init(connection: any BrokerConnection, logger: Logger, memory: TopologyMemory) {
        self.connection = connection
        self.logger = logger
        self.memory = memory
    }

    /// Closes the channel.
    mutating func close() async {
        await channel?.close()
        channel = nil
    }

    /// Declares a queue with its exchanges and bindings.
    mutating func declare(_ queue: Queue) async throws(AMQPError) {
        if let exchange = queue.exchange { try await declare(exchange) }
        try await declare(queue.declaration)
        if let exchange = queue.exchange, !exchange.name.isEmpty {
            try await bind(queue.name, to: exchange.name, queue.routingKey ?? "", queue.bindingArguments)
        }
        for binding in queue.bindings {
            try await declare(binding.exchange)
            try await bind(queue.name, to: binding.exchange.name, binding.routingKey, binding.arguments)
        }
    }

    /// Declares a queue without bindings.
    mutating func declare(_ declaration: QueueDeclaration) async throws(AMQPError) {
        try await adopt(.queue(declaration), named: "queue", declaration.name) { channel, passive throws(AMQPError) in
            var declaration = declaration
            declaration.passive = passive
            _ = try await channel.declareQueue(declaration)
        }
    }

    /// Declares a queue without bindings, and fails where it is there with other arguments.
    mutating func declareExactly(_ declaration: QueueDeclaration) async throws(AMQPError) {
        try await perform { channel throws(AMQPError) in _ = try await channel.declareQueue(declaration) }
        memory.remember(.queue(declaration), .asWanted)
    }

    /// Declares an exchange; the default one and the broker's own are there already.
    mutating func declare(_ declaration: ExchangeDeclaration) async throws(AMQPError) {
        if declaration.name.isEmpty || declaration.name.hasPrefix("amq.") { return }
        let item = TopologyMemory.Item.exchange(declaration)
        try await adopt(item, named: "exchange", declaration.name) { channel, passive throws(AMQPError) in
            var declaration = declaration
            declaration.passive = passive
            try await channel.declareExchange(declaration)
        }
    }

    /// Checks that an exchange is there.
    mutating func check(exchange name: String) async throws(AMQPError) {
        try await perform { channel throws(AMQPError) in
            try await channel.declareExchange(ExchangeDeclaration(name: name, passive: true))
        }
    }

    /// Binds a queue to an exchange; both are there.
    mutating func bind(
        _ queue: String,
        to exchange: String,
        _ routingKey: String,
        _ arguments: FieldTable = [:]
    ) async throws(AMQPError) {
        try await bind(queue, exchange, routingKey) { channel throws(AMQPError) in
            try await channel.bindQueue(queue, to: exchange, routingKey: routingKey, arguments: arguments)
        }
    }

    /// Binds an exchange to another one; both are there.
    mutating func bind(
        exchange: String,
        to source: String,
        _ routingKey: String,
        _ arguments: FieldTable = [:]
    ) async throws(AMQPError) {
        try await bind(exchange, source, routingKey) { channel throws(AMQPError) in
            try await channel.bindExchange(exchange, to: source, routingKey: routingKey, arguments: arguments)
        }
    }
}

extension ScratchDeclarer {
    /// A user who may not bind uses the bindings that are there, as he does with queues and exchanges.
    private mutating func bind(
        _ destination: String,
        _ source: String,
        _ routingKey: String,
        _ work: (any BrokerChannel) async throws(AMQPError) -> Void
    ) async throws(AMQPError) {
        do {
            try await perform(work)
        } catch {
            guard error.code == .channelClosed, error.replyCode == 403 else { throw error }
            let item = TopologyMemory.Item.binding(destination: destination, source: source, routingKey: routingKey)
            guard memory.remember(item) else { return }
            logger.warning(
                "a binding is not permitted; only bindings that are there will route",
                metadata: ["binding": "\(source) -> \(destination)", "reason": "\(error.message)"]
            )
        }
    }

    private mutating func adopt(
        _ item: TopologyMemory.Item,
        named kind: StaticString,
        _ name: String,
        _ declare: (any BrokerChannel, _ passive: Bool) async throws(AMQPError) -> Void
    ) async throws(AMQPError) {
        var adoption = Adoption(knowing: memory.note(of: item))
        while true {
            let passive: Bool
            switch adoption.step {
            case .ask: passive = true
            case .declare: passive = false
            case .finish(let finding): return note(finding, item, kind, name)
            case .fail(let error):
                if error.isHardRefusal { memory.remember(item, .refused(error)) }
                throw error
            }
            do {
                try await perform { channel throws(AMQPError) in try await declare(channel, passive) }
                adoption.succeeded()
            } catch {
                adoption.failed(error)
            }
        }
    }

    private func note(_ finding: Adoption.Finding, _ item: TopologyMemory.Item, _ kind: StaticString, _ name: String) {
        guard finding != .known, memory.remember(item, finding == .equal ? .asWanted : .adopted) else { return }
        switch finding {
        case .known, .equal: break
        case .different(let error):
            logger.warning(
                "\(kind) exists with other arguments and is used as it is",
                metadata: ["\(kind)": "\(name)", "difference": "\(error.message)"]
            )
        case .forbidden(let error):
            logger.debug(
                "\(kind) may not be declared and is used as it is",
                metadata: ["\(kind)": "\(name)", "reason": "\(error.message)"]
            )
        }
    }

    /// Runs a request on the channel, which is given up when it fails.
    private mutating func perform(
        _ work: (any BrokerChannel) async throws(AMQPError) -> Void
    ) async throws(AMQPError) {
        let current: any BrokerChannel
        if let channel { current = channel } else { current = try await connection.openChannel() }
        channel = nil
        do {
            try await work(current)
            channel = current
        } catch {
            // After an error other than the channel's end, such as one of time, it may be in any state.
            if error.code != .channelClosed { await current.close() }
            throw error
        }
    }
}
