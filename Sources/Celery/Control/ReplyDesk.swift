internal import AMQP
internal import CeleryProtocol
internal import Logging
internal import Synchronization

/// Hands replies to whoever has asked, by the ticket of the request.
final class ReplyDesk: Sendable {
    /// Messages that may wait to be read.
    private static let bufferSize = 10_000

    private struct State {
        var collectors: [String: ReplyCollector] = [:]
        var unusable = 0
    }

    private let state = Mutex(State())
    private let accept: AcceptedContent
    private let clock: LogicalClock
    private let logger: Logger

    init(accept: AcceptedContent, clock: LogicalClock, logger: Logger) {
        self.accept = accept
        self.clock = clock
        self.logger = logger
    }

    /// Replies that nobody waited for any more, or that could not be read.
    var unusableCount: Int { state.withLock { $0.unusable } }

    func open(_ ticket: String, _ collector: ReplyCollector) {
        state.withLock { $0.collectors[ticket] = collector }
    }

    func close(_ ticket: String) {
        state.withLock { $0.collectors[ticket] = nil }
    }

    /// A closure for the consumer of the reply queue; replies are read off the connection's thread, since some are large.
    func handler(onEnd: @escaping @Sendable () -> Void) -> @Sendable (ConsumerEvent) -> Void {
        let (events, feed) = AsyncStream.makeStream(
            of: [IncomingMessage].self,
            bufferingPolicy: .bufferingOldest(Self.bufferSize)
        )
        Task { [self] in
            for await messages in events {
                for message in messages { receive(message) }
            }
        }
        return { [self] event in
            switch event {
            case .deliveries(let messages):
                if case .dropped = feed.yield(messages) { note(messages.count, "too many at a time") }
            case .cancelled, .closed:
                feed.finish()
                let error = CeleryError(.connection, "the connection was lost while replies were awaited")
                for collector in state.withLock({ Array($0.collectors.values) }) { collector.fail(error) }
                onEnd()
            }
        }
    }

    private func receive(_ message: IncomingMessage) {
        do {
            let reply = try ControlReply(decoding: message.properties, body: message.body, accept: accept)
            clock.adjust(reply.clock)
            guard let collector = state.withLock({ $0.collectors[reply.ticket ?? ""] }) else {
                return note(1, "nobody waits for it")
            }
            collector.receive(reply)
        } catch {
            note(1, error.description)
        }
    }

    private func note(_ count: Int, _ reason: String) {
        let total = state.withLock { state in
            state.unusable += count
            return state.unusable
        }
        logger.debug("reply of remote control not used", metadata: ["reason": "\(reason)", "count": "\(total)"])
    }
}
