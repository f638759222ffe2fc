internal import AMQP
internal import Celery

extension BrokerState {
    mutating func publish(_ message: OutgoingMessage, on id: Int, _ completion: @escaping Completion) {
        guard let channel = channels[id] else {
            effects.append { completion(.failure(AMQPError(.channelClosed, "the channel has been closed"))) }
            return
        }
        if isBlocked {
            connections[channel.connection]?.blocked.append((id, message, completion))
            return
        }
        if let error = check(message, on: id) {
            effects.append { completion(.failure(error)) }
            return
        }
        publishedCount += 1
        let outcome = channel.confirms ? route(message) : routeUnconfirmed(message)
        if holdsConfirms, channel.confirms {
            channels[id]?.heldConfirms.append((outcome, completion))
        } else {
            effects.append { completion(outcome) }
        }
    }

    /// Ends the channel for what the broker does not take.
    private mutating func check(_ message: OutgoingMessage, on id: Int) -> AMQPError? {
        if !message.exchange.isEmpty, exchanges[message.exchange] == nil {
            return fail(id, 404, "NOT_FOUND - no exchange '\(message.exchange)'")
        }
        if exchanges[message.exchange]?.declaration.internal == true {
            return fail(id, 403, "ACCESS_REFUSED - cannot publish to internal exchange '\(message.exchange)'")
        }
        if let expiration = message.properties.expiration, UInt32(expiration) == nil {
            return fail(id, 406, "PRECONDITION_FAILED - invalid expiration '\(expiration)'")
        }
        return nil
    }

    private mutating func routeUnconfirmed(_ message: OutgoingMessage) -> Result<Void, AMQPError> {
        _ = route(message)
        return .success(())
    }

    /// Puts a message into its queues.
    mutating func route(_ message: OutgoingMessage) -> Result<Void, AMQPError> {
        let names = queueNames(exchange: message.exchange, routingKey: message.routingKey)
        if names.isEmpty, message.mandatory {
            return .failure(AMQPError(.unroutable, "NO_ROUTE", replyCode: 312))
        }
        if names.contains(where: { queues[$0]?.refusesMessages == true }) {
            return .failure(AMQPError(.nacked, "the broker refused the message"))
        }
        for name in names {
            insert(message, into: name)
            dispatch(name)
        }
        return .success(())
    }

    private mutating func insert(_ message: OutgoingMessage, into name: String) {
        let ttl = [
            message.properties.expiration.flatMap(Int.init),
            queues[name]?.declaration.arguments["x-message-ttl"]?.intValue,
        ].compactMap { $0 }.min()
        let stored = MemoryMessage(
            serial: nextSerial(),
            message: message,
            deadline: ttl.map { .now + .milliseconds($0) }
        )
        if let dropped = queues[name]?.insert(stored) { deadLetter(dropped, from: name, reason: "maxlen") }
    }

    /// The queues that a message reaches, each once, through any number of exchanges.
    private func queueNames(exchange: String, routingKey: String) -> [String] {
        if exchange.isEmpty { return queues[routingKey] == nil ? [] : [routingKey] }
        var found: [String] = []
        var visited: Set<String> = []
        var pending = [exchange]
        while let name = pending.popLast() {
            guard visited.insert(name).inserted else { continue }
            for destination in exchanges[name]?.destinations(for: routingKey) ?? [] {
                switch destination {
                case .queue(let queue): if !found.contains(queue) { found.append(queue) }
                case .exchange(let next): pending.append(next)
                }
            }
        }
        return found
    }

    /// Sends a message on to the queue's dead-letter exchange, if it has one.
    mutating func deadLetter(_ dead: MemoryMessage, from name: String, reason: String) {
        guard let queue = queues[name],
            let exchange = queue.declaration.arguments["x-dead-letter-exchange"]?.stringValue
        else { return }
        var message = dead.message
        var headers = message.properties.headers ?? [:]
        let death: FieldTable = [
            "count": .longLong(1), "reason": .string(reason), "queue": .string(name),
            "exchange": .string(message.exchange), "routing-keys": .array([.string(message.routingKey)]),
        ]
        headers["x-death"] = .array([.table(death)] + (headers["x-death"]?.arrayValue ?? []))
        if headers["x-first-death-reason"] == nil {
            headers["x-first-death-exchange"] = .string(message.exchange)
            headers["x-first-death-queue"] = .string(name)
            headers["x-first-death-reason"] = .string(reason)
        }
        message.properties.headers = headers
        message.properties.expiration = nil
        message.exchange = exchange
        message.routingKey =
            queue.declaration.arguments["x-dead-letter-routing-key"]?.stringValue ?? message.routingKey
        message.mandatory = false
        guard exchange.isEmpty || exchanges[exchange] != nil else { return }
        _ = route(message)
    }

    /// Sends the confirms that were held back.
    mutating func releaseConfirms() {
        holdsConfirms = false
        for id in channels.keys.sorted() {
            let held = channels[id]?.heldConfirms ?? []
            channels[id]?.heldConfirms = []
            for (outcome, completion) in held { effects.append { completion(outcome) } }
        }
    }
}
