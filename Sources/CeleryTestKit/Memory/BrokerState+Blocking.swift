internal import AMQP

extension BrokerState {
    /// What connections tell of `isBlocked`.
    var blockedState: BlockedState { isBlocked ? .blocked(reason: "blocked by a test") : .unblocked }

    /// Adds a handler to a connection and answers the state before the first change that it is told of.
    mutating func onBlockedChange(of connection: Int, _ handler: @escaping BlockedHandler) -> BlockedState {
        guard connections[connection] != nil else { return .unblocked }
        connections[connection]?.onBlockedChange.append(handler)
        return blockedState
    }

    /// Lets publishes wait.
    mutating func block() {
        guard !isBlocked else { return }
        isBlocked = true
        tellAll()
    }

    /// Lets blocked publishes through.
    mutating func unblock() {
        guard isBlocked else { return }
        isBlocked = false
        tellAll()
        for id in connections.keys.sorted() {
            let waiting = connections[id]?.blocked ?? []
            connections[id]?.blocked = []
            for (channel, message, completion) in waiting { publish(message, on: channel, completion) }
        }
    }

    /// Tells handlers of a state, when their turn comes.
    mutating func tell(_ handlers: [BlockedHandler], _ state: BlockedState) {
        for handler in handlers {
            effects.append { handler(state) }
        }
    }

    private mutating func tellAll() {
        for id in connections.keys.sorted() { tell(connections[id]?.onBlockedChange ?? [], blockedState) }
    }
}
