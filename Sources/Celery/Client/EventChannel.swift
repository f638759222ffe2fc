internal import AMQP
internal import Logging
internal import Synchronization

/// The channel on which a client sends events, without confirms and apart from its tasks: what the broker refuses of them
/// ends this channel only.
///
/// Posting never blocks; what cannot be sent is lost, which counts for the log alone.
final class EventChannel: Sendable {
    private struct State {
        var channel: (any BrokerChannel)?
        var isOpening = false
        var nextTry = ContinuousClock.now
        var lost = 0
    }

    /// From one try to open a channel to the next.
    private static let pause = Duration.seconds(1)

    private let connection: any BrokerConnection
    private let exchange: ExchangeDeclaration
    private let logger: Logger
    private let state = Mutex(State())

    /// Opens a channel on a connection; without one, the next event tries again.
    init(on connection: any BrokerConnection, exchange: ExchangeDeclaration, logger: Logger) async {
        self.connection = connection
        self.exchange = exchange
        self.logger = logger
        await open()
    }

    /// Posts an event.
    func post(_ message: OutgoingMessage) {
        let (channel, mustOpen) = state.withLock { state in
            let mustOpen = state.channel == nil && !state.isOpening && state.nextTry <= .now
            if mustOpen { state.isOpening = true }
            return (state.channel, mustOpen)
        }
        if mustOpen { Task { await open() } }
        guard let channel else { return lose() }
        channel.publish(message) { result in
            if case .failure(let error) = result { self.failed(error) }
        }
    }

    private func failed(_ error: AMQPError) {
        if error.code == .channelClosed || error.isRecoverable { state.withLock { $0.channel = nil } }
        lose(error)
    }

    private func lose(_ error: AMQPError? = nil) {
        let lost = state.withLock { state in
            state.lost += 1
            return state.lost
        }
        let reason = error.map { "\($0)" } ?? "there is no channel"
        logger.debug("an event could not be sent", metadata: ["lost": "\(lost)", "error": "\(reason)"])
    }

    private func open() async {
        var opened: (any BrokerChannel)?
        do throws(AMQPError) {
            let channel = try await connection.openChannel()
            try await channel.declareExchange(exchange)
            opened = channel
        } catch {
            logger.debug("no channel for events", metadata: ["error": "\(error)"])
        }
        state.withLock { state in
            state.channel = opened
            state.isOpening = false
            state.nextTry = .now + Self.pause
        }
    }
}
