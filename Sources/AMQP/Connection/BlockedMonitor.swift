internal import Synchronization

/// The blocked state of one connection, and who wants to be told of its changes.
package final class BlockedMonitor: Sendable {
    private struct State {
        var current = BlockedState.unblocked
        var handlers: [BlockedHandler] = []
        var ended = false
    }

    private let state = Mutex(State())
    /// The state's mark, which every publish reads.
    private let mark = Atomic<Bool>(false)

    package init() {}

    /// Whether the broker takes no publishes for now.
    package var isBlocked: Bool { mark.load(ordering: .relaxed) }

    /// The state of the moment.
    package var current: BlockedState { state.withLock { $0.current } }

    /// Adds a handler and answers the state before the first change that it is told of.
    package func onChange(_ handler: @escaping BlockedHandler) -> BlockedState {
        state.withLock { state in
            if !state.ended { state.handlers.append(handler) }
            return state.current
        }
    }

    /// Takes a change; to be called from one thread, so that handlers are told in the order of the changes.
    package func change(to new: BlockedState) {
        mark.store(new.isBlocked, ordering: .relaxed)
        let handlers = state.withLock { state -> [BlockedHandler] in
            guard state.current != new else { return [] }
            state.current = new
            return state.handlers
        }
        for handler in handlers { handler(new) }
    }

    /// The connection has ended: what was blocked is so no more, and nobody is told of anything again.
    package func end() {
        change(to: .unblocked)
        // The handlers are freed outside of the lock: what they hold may come back here.
        let handlers = state.withLock { state in
            defer { state.handlers = [] }
            state.ended = true
            return state.handlers
        }
        withExtendedLifetime(handlers) {}
    }
}
