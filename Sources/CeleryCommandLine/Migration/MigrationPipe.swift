import AMQP
import Celery

/// Publishes messages at the destination, some at a time, and acknowledges each at the source when it is confirmed.
actor MigrationPipe {
    /// Bytes of bodies that may be under way, besides those of one message.
    private static let mostBytes = 4 << 20

    private let source: any BrokerChannel
    private let destination: any BrokerChannel
    private let report: MigrationReport
    private let window: Int
    private var count: MigrationCount
    /// Bytes of the bodies that have no answer.
    private var bytes = 0
    private var failure: AMQPError?
    private var waiter: CheckedContinuation<Void, Never>?

    init(
        source: any BrokerChannel,
        destination: any BrokerChannel,
        count: MigrationCount,
        report: MigrationReport,
        window: Int
    ) {
        self.source = source
        self.destination = destination
        self.count = count
        self.report = report
        self.window = window
    }

    /// Whether no further message is to be taken.
    var isComplete: Bool { count.isComplete }

    /// Takes a message on, or leaves it where it is; waits while too many are under way.
    ///
    /// - Parameter prepare: makes sure that there is an exchange, since a publish to none ends the channel.
    /// - Throws: what ended the destination.
    func send(
        _ message: MigratedMessage,
        prepare: @Sendable (String) async throws(CeleryError) -> Void
    ) async throws {
        guard case .publish(let number) = count.taken(task: message.task) else { return }
        do throws(CeleryError) {
            try await prepare(message.outgoing.exchange)
        } catch {
            guard error.code == .unroutable else {
                _ = count.answered(isConfirmed: false)
                throw error
            }
            refuse(message, "\(error)")
            return
        }
        let size = message.outgoing.body.count
        try await waitForRoom(bytes + size > Self.mostBytes ? 1 : window)
        bytes += size
        report.migrating(number, message)
        destination.publish(message.outgoing) { result in
            Task { await self.answered(message, result) }
        }
    }

    /// Waits until every message has its answer.
    ///
    /// - Throws: what ended the destination.
    func drain() async throws(AMQPError) {
        try await waitForRoom(0)
        report.finish(count)
    }

    /// Reports a migration that a failure has ended.
    func abandon() { report.finish(count) }

    /// Throws what ended the destination, if something did.
    func check() throws(AMQPError) {
        if let failure { throw failure }
    }

    private func answered(_ message: MigratedMessage, _ result: Result<Void, AMQPError>) {
        bytes -= message.outgoing.body.count
        switch result {
        case .success:
            if count.answered(isConfirmed: true) == .acknowledge { source.settle(message.deliveryTag, .ack) }
        case .failure(let error) where Self.concernsMessage(error): refuse(message, error.message)
        case .failure(let error): failure = failure ?? error
        }
        waiter?.resume()
        waiter = nil
    }

    private func refuse(_ message: MigratedMessage, _ reason: String) {
        _ = count.answered(isConfirmed: false)
        report.remark("\(message.description) stays at the source: \(reason)")
    }

    private static func concernsMessage(_ error: AMQPError) -> Bool {
        [.unroutable, .nacked, .messageTooLarge, .invalidArgument].contains(error.code)
    }

    /// Waits until at most so many messages, with the one that is about to be sent, are without an answer.
    private func waitForRoom(_ most: Int) async throws(AMQPError) {
        while count.unsettled > most {
            try check()
            await withCheckedContinuation { waiter = $0 }
        }
        try check()
    }
}
