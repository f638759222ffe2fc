import AMQPValues
import DequeModule
import Synchronization

/// Commands that wait for their turn, where the connection that reads must not wait for them.
///
/// Bounded in number and size: what comes in a flood beyond that is dropped, and counted. One reader.
final class ControlInbox: Sendable {
    private struct State {
        var waiting = Deque<IncomingMessage>()
        var bytes = 0
        var reader: CheckedContinuation<IncomingMessage?, Never>?
        var isClosed = false
    }

    private let maxMessages: Int
    private let maxBytes: Int
    private let state = Mutex(State())

    init(maxMessages: Int = 1_000, maxBytes: Int = 32 << 20) {
        self.maxMessages = maxMessages
        self.maxBytes = maxBytes
    }

    /// Appends messages as far as there is room; answers how many were dropped.
    func put(_ messages: [IncomingMessage]) -> Int { messages.count { !put($0) } }

    private func put(_ message: IncomingMessage) -> Bool {
        let (isTaken, reader) = state.withLock { state -> (Bool, CheckedContinuation<IncomingMessage?, Never>?) in
            guard !state.isClosed else { return (true, nil) }
            if let reader = state.reader {
                state.reader = nil
                return (true, reader)
            }
            guard state.waiting.count < maxMessages, state.bytes + message.body.count <= maxBytes else {
                return (false, nil)
            }
            state.waiting.append(message)
            state.bytes += message.body.count
            return (true, nil)
        }
        reader?.resume(returning: message)
        return isTaken
    }

    /// The next message, waiting for one; nil once the inbox is closed.
    func next() async -> IncomingMessage? {
        await withCheckedContinuation { continuation in
            let next = state.withLock { state -> IncomingMessage?? in
                if state.isClosed { return .some(nil) }
                guard let message = state.waiting.popFirst() else {
                    state.reader = continuation
                    return nil
                }
                state.bytes -= message.body.count
                return message
            }
            if let next { continuation.resume(returning: next) }
        }
    }

    /// Forgets what waits, and ends the reader.
    func close() {
        let reader = state.withLock { state in
            state.isClosed = true
            state.waiting = []
            defer { state.reader = nil }
            return state.reader
        }
        reader?.resume(returning: nil)
    }
}
