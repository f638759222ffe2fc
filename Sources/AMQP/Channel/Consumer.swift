internal import DequeModule
internal import Synchronization

/// A consumer whose messages are asked for one by one, by one task.
public final class Consumer: Sendable {
    private enum End {
        case open
        case ended(AMQPError?)
    }

    private struct State {
        var messages = Deque<IncomingMessage>()
        var end = End.open
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let channel: AMQPChannel
    private let noAck: Bool
    private let state = Mutex(State())
    private let tag = OneShot<String>()

    private init(channel: AMQPChannel, noAck: Bool) {
        self.channel = channel
        self.noAck = noAck
    }

    static func start(
        on channel: AMQPChannel,
        queue: String,
        options: ConsumeOptions
    ) async throws(AMQPError) -> Consumer {
        let consumer = Consumer(channel: channel, noAck: options.noAck)
        let tag = try await channel.consume(queue, options: options) { [weak consumer] event in
            consumer?.accept(event)
        }
        consumer.tag.fulfil(tag)
        return consumer
    }

    /// Waits for the next message; nil when the consumer has been cancelled, from either side, or the task is cancelled.
    ///
    /// - Throws: `AMQPError` where the channel has ended by an error.
    public func next() async throws(AMQPError) -> Delivery? {
        while true {
            let (message, end) = state.withLock { ($0.messages.popFirst(), $0.end) }
            if let message { return Delivery(message: message, channel: channel, noAck: noAck) }
            if case .ended(let error) = end {
                if let error { throw error }
                return nil
            }
            if Task.isCancelled { return nil }
            await waitForChange()
        }
    }

    /// Ends the consumer.
    ///
    /// Messages that were delivered and not asked for go back to the queue.
    public func cancel() async throws(AMQPError) {
        if let tag = tag.current { try await channel.cancel(tag) }
        accept(.closed(nil))
        let left = state.withLock { state in
            defer { state.messages = [] }
            return state.messages
        }
        if !noAck { for message in left { channel.settle(message.deliveryTag, .reject(requeue: true)) } }
    }

    private func accept(_ event: ConsumerEvent) {
        let waiter = state.withLock { state in
            switch event {
            case .deliveries(let messages): state.messages.append(contentsOf: messages)
            case .cancelled: state.end = .ended(nil)
            case .closed(let error): if case .open = state.end { state.end = .ended(error) }
            }
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    private func waitForChange() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let ready = state.withLock { state in
                    if !state.messages.isEmpty || Task.isCancelled { return true }
                    if case .ended = state.end { return true }
                    state.waiter = continuation
                    return false
                }
                if ready { continuation.resume() }
            }
        } onCancel: {
            state.withLock { state in
                defer { state.waiter = nil }
                return state.waiter
            }?.resume()
        }
    }
}

extension AMQPChannel {
    /// Starts a consumer whose messages are asked for one by one.
    public func consume(
        _ queue: String,
        options: ConsumeOptions = ConsumeOptions()
    ) async throws(AMQPError) -> Consumer {
        try await Consumer.start(on: self, queue: queue, options: options)
    }
}
