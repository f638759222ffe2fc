import AMQP
import AMQPValues
import Celery
import DequeModule
import Synchronization

/// Publishes with confirms on one channel after the other, and keeps what was not confirmed when a channel is lost.
///
/// Posting never blocks. A message that was posted while there is no channel, or whose channel ended before the broker's
/// answer, is posted again on the next channel, up to the policy's number of tries; the completion is called exactly
/// once in any case. The broker may thus see a message twice, never not at all.
final class ConfirmPublisher: Sendable {
    /// What became of a message.
    enum Verdict: Sendable {
        /// The broker has taken it and a queue holds it.
        case confirmed
        /// No queue takes it.
        case unroutable(AMQPError)
        /// It was not taken: refused by the broker, or the tries are used up, or the worker ends.
        case failed(AMQPError)
    }

    typealias Completion = @Sendable (Verdict) -> Void

    /// One message with the number of tries that were made.
    private final class Item: Sendable {
        let message: OutgoingMessage
        let tries: Int
        let completion: Completion

        init(_ message: OutgoingMessage, tries: Int, completion: @escaping Completion) {
            self.message = message
            self.tries = tries
            self.completion = completion
        }

        func again() -> Item { Item(message, tries: tries + 1, completion: completion) }
    }

    private struct State {
        var channel: (any BrokerChannel)?
        /// Number of the channel that was attached last, and of the last one that failed.
        var generation = 0
        var failedGeneration = -1
        /// Messages that wait for a channel.
        var parked = Deque<Item>()
        var isClosed = false

        /// The channel to post the message on; without one the message waits, unless the publisher has ended.
        mutating func target(for item: Item) -> (channel: (any BrokerChannel)?, generation: Int, isClosed: Bool) {
            if channel == nil, !isClosed { parked.append(item) }
            return (channel, generation, isClosed)
        }
    }

    /// How long a message waits that found the connection's buffer full, as while the broker takes no publishes.
    private static let bufferPause = Duration.milliseconds(100)

    /// Messages posted and not answered for good, those that wait for a channel included.
    private let window: PublishWindow
    private let policy: RetryPolicy
    private let state = Mutex(State())

    /// Makes a publisher without a channel.
    ///
    /// - Parameters:
    ///   - window: how many messages may be unfinished before `waitForRoom` waits.
    ///   - policy: how often a message is tried again.
    init(window: Int, policy: RetryPolicy) {
        self.window = PublishWindow(messages: window)
        self.policy = policy
    }

    /// Posts a message.
    func post(_ message: OutgoingMessage, completion: @escaping Completion) {
        let item = Item(message, tries: 0, completion: completion)
        window.enter(bytes: message.body.count)
        post(item)
    }

    /// Posts a message and waits for what becomes of it.
    func publish(_ message: OutgoingMessage) async -> Verdict {
        await withCheckedContinuation { continuation in
            post(message) { continuation.resume(returning: $0) }
        }
    }

    /// Waits while too much is unfinished.
    func waitForRoom() async { await window.waitForRoom() }

    /// How many messages are unfinished.
    var unfinishedCount: Int { window.count }

    /// Waits until nothing is unfinished; false if that took longer than the limit.
    func waitUntilIdle(limit: Duration) async -> Bool { await window.waitUntilIdle(limit: limit) }
}

extension ConfirmPublisher {
    /// Takes a new channel into use, after what waits was posted on it.
    ///
    /// - Parameters:
    ///   - channel: a channel with confirms.
    ///   - oneByOne: whether each waiting message is posted only when the one before it was answered. If the broker
    ///     closed the last channel because of a message, this finds out which one it was.
    func attach(_ channel: any BrokerChannel, oneByOne: Bool) async {
        let generation = state.withLock { state in
            state.generation += 1
            return state.generation
        }
        while !Task.isCancelled, let item = nextParked(orAttach: channel, generation) {
            if oneByOne {
                await postAlone(item, on: channel, generation)
            } else {
                post(item, on: channel, generation)
            }
        }
    }

    /// The next waiting message; if there is none, the channel is in use from now on, unless it has failed meanwhile.
    private func nextParked(orAttach channel: any BrokerChannel, _ generation: Int) -> Item? {
        state.withLock { state in
            guard state.failedGeneration < generation, !state.isClosed else { return nil }
            if let item = state.parked.popFirst() { return item }
            state.channel = channel
            return nil
        }
    }

    /// Takes the channel out of use.
    ///
    /// Messages wait until the next one comes.
    func detach() {
        state.withLock { state in
            state.channel = nil
            state.failedGeneration = state.generation
        }
    }

    /// Ends the publisher: what waits fails, and so does whatever is posted afterwards.
    func close() {
        let parked = state.withLock { state -> Deque<Item> in
            state.isClosed = true
            state.channel = nil
            defer { state.parked = [] }
            return state.parked
        }
        for item in parked { finish(item, .failed(Self.closedError)) }
    }

    private func post(_ item: Item) {
        let (channel, generation, isClosed) = state.withLock { $0.target(for: item) }
        if let channel {
            post(item, on: channel, generation)
        } else if isClosed {
            finish(item, .failed(Self.closedError))
        }
    }

    private func post(_ item: Item, on channel: any BrokerChannel, _ generation: Int) {
        channel.publish(item.message) { self.answer(item, $0, generation, wasAlone: false) }
    }

    private func postAlone(_ item: Item, on channel: any BrokerChannel, _ generation: Int) async {
        let answered = Gate<Void>()
        channel.publish(item.message) { result in
            self.answer(item, result, generation, wasAlone: true)
            answered.open()
        }
        // A broker that takes no publishes for now answers at no set time, and the end of the worker must not wait for it.
        _ = await answered.waitUnlessCancelled()
    }

    private func answer(_ item: Item, _ result: Result<Void, AMQPError>, _ generation: Int, wasAlone: Bool) {
        guard case .failure(let error) = result else { return finish(item, .confirmed) }
        let channelHasEnded = error.isRecoverable || error.code == .channelClosed
        if channelHasEnded { retire(generation) }
        switch error.code {
        case .unroutable:
            finish(item, .unroutable(error))
        case .nacked:
            retryLater(item, error)
        case .bufferFull:
            // It was not sent: no try of it is used up.
            Alarm.after(Self.bufferPause) { self.post(item) }
        case _ where error.isRecoverable || channelHasEnded && !wasAlone:
            // If the broker closed the channel because of one message, all that were under way fail alike.
            guard policy.delay(beforeRetry: item.tries) != nil else { return finish(item, .failed(error)) }
            post(item.again())
        default:
            finish(item, .failed(error))
        }
    }

    /// Takes a channel out of use that has ended, so that nothing is posted on it again.
    private func retire(_ generation: Int) {
        state.withLock { state in
            state.failedGeneration = max(state.failedGeneration, generation)
            if state.generation == generation { state.channel = nil }
        }
    }

    private func retryLater(_ item: Item, _ error: AMQPError) {
        guard let delay = policy.delay(beforeRetry: item.tries) else { return finish(item, .failed(error)) }
        Alarm.after(max(delay, .milliseconds(50))) { self.post(item.again()) }
    }

    private func finish(_ item: Item, _ verdict: Verdict) {
        item.completion(verdict)
        window.leave(bytes: item.message.body.count)
    }

    private static let closedError = AMQPError(.connectionClosed, "the worker has ended")
}
