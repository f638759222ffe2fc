internal import AMQP
internal import DequeModule
internal import Synchronization

/// Messages between the connection that brings them and one reader, with a bound: the oldest go where the reader lags.
final class EventInbox: Sendable {
    fileprivate struct State {
        var messages = Deque<IncomingMessage>()
        var bytes = 0
        var dropped = 0
        var end: Result<Void, CeleryError>?
        var waiter: CheckedContinuation<Void, Never>?
    }

    /// What the reader finds.
    enum Item: Sendable {
        case message(IncomingMessage)
        /// Nothing more will come.
        case end
    }

    private let maxMessages: Int
    private let maxBytes: Int
    private let state = Mutex(State())

    init(maxMessages: Int, maxBytes: Int = 64 << 20) {
        self.maxMessages = maxMessages
        self.maxBytes = maxBytes
    }

    /// Messages that were dropped because the reader lagged, since this was asked last.
    func takeDropped() -> Int {
        state.withLock { state in
            defer { state.dropped = 0 }
            return state.dropped
        }
    }

    /// Puts messages in; quick, and never waits.
    func put(_ messages: [IncomingMessage]) {
        let waiter = state.withLock { state in
            guard state.end == nil else { return state.takeWaiter() }
            for message in messages {
                state.messages.append(message)
                state.bytes += message.body.count
            }
            while state.messages.count > maxMessages || state.bytes > maxBytes && state.messages.count > 1 {
                state.bytes -= state.messages.removeFirst().body.count
                state.dropped += 1
            }
            return state.takeWaiter()
        }
        waiter?.resume()
    }

    /// Ends the inbox: after what is in it the reader gets its end, or the error.
    func finish(_ end: Result<Void, CeleryError>) {
        let waiter = state.withLock { state in
            if state.end == nil { state.end = end }
            return state.takeWaiter()
        }
        waiter?.resume()
    }

    /// Takes the next message out, and waits for one; a cancelled task gets the end.
    func next() async throws(CeleryError) -> Item {
        while true {
            let (message, end) = state.withLock { state in
                let message = state.messages.popFirst()
                state.bytes -= message?.body.count ?? 0
                return (message, state.end)
            }
            if let message { return .message(message) }
            if let end {
                try end.get()
                return .end
            }
            if Task.isCancelled { return .end }
            await waitForChange()
        }
    }

    private func waitForChange() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                let isReady = state.withLock { state in
                    if !state.messages.isEmpty || state.end != nil || Task.isCancelled { return true }
                    state.waiter = continuation
                    return false
                }
                if isReady { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.takeWaiter() }?.resume()
        }
    }
}

extension EventInbox.State {
    fileprivate mutating func takeWaiter() -> CheckedContinuation<Void, Never>? {
        defer { waiter = nil }
        return waiter
    }
}
