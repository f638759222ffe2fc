import AMQP
import Celery

/// A connection on which the instructions of the AMQP shell are carried out, one after the other.
///
/// What was got and not acknowledged goes back to its queue when the session ends, or the broker ends its channel.
struct ShellSession {
    private let access: BrokerAccess
    private let address: String
    private let output: Output
    private var connection: (any BrokerConnection)?
    private var channel: (any BrokerChannel)?
    /// Deliveries of the channel that wait for their acknowledgement.
    private var unacknowledged: Set<UInt64> = []

    /// Where the shell's answers go.
    struct Output: Sendable {
        var isColored = false
        /// Writes a line of an answer.
        var line: @Sendable (String) -> Void
        /// Writes a line of a complaint.
        var complaint: @Sendable (String) -> Void
    }

    /// Makes a session that is not connected yet.
    init(access: BrokerAccess, output: Output) {
        self.access = access
        self.output = output
        address = access.configuration.redactedBrokerURL
    }

    /// Connects, after closing what is open.
    ///
    /// - Throws: `CommandFailure` where the broker cannot be reached.
    mutating func connect() async throws {
        await close()
        output.line("-> connecting to \(address).")
        let connection = try await access.connect(.client)
        self.connection = connection
        do throws(AMQPError) {
            // With confirms, so that a publish that no queue took is told.
            channel = try await connection.openChannel(confirms: true)
        } catch {
            throw BrokerAccess.failure(error)
        }
        output.line(colored("-> connected.", 32))
    }

    /// Closes the connection.
    mutating func close() async {
        await connection?.close()
        connection = nil
        channel = nil
        unacknowledged = []
    }

    /// Carries an instruction out and shows its outcome; answers whether it went well.
    mutating func perform(_ instruction: ShellInstruction) async -> Bool {
        do {
            if channel == nil { try await connect() }
            guard let channel else { return false }
            try await perform(instruction, on: channel)
            output.line("OK")
            return true
        } catch let error as AMQPError {
            complain("\(error)")
            // The broker has ended the channel, and what it held.
            if !Self.survivors.contains(error.code) { await reconnect() }
            return false
        } catch {
            complain("\(error)")
            return false
        }
    }

    /// Complains as Celery does.
    func complain(_ text: String) { output.complaint("\(colored("ERROR", 31)): \(text)") }

    /// Errors of a message alone.
    private static let survivors: Set<AMQPError.Code> = [.unroutable, .nacked, .invalidArgument, .messageTooLarge]

    private mutating func reconnect() async {
        do {
            try await connect()
        } catch {
            complain("\(error)")
        }
    }

    private mutating func perform(
        _ instruction: ShellInstruction,
        on channel: any BrokerChannel
    ) async throws(AMQPError) {
        switch instruction {
        case .declareExchange(let exchange): try await channel.declareExchange(exchange)
        case .deleteExchange(let name, let ifUnused): try await channel.deleteExchange(name, ifUnused: ifUnused)
        case .bindQueue(let queue, let exchange, let key):
            try await channel.bindQueue(queue, to: exchange, routingKey: key)
        case .declareQueue(let queue):
            let status = try await channel.declareQueue(queue)
            output.line(
                colored(
                    "queue:\(status.name) messages:\(status.messageCount) consumers:\(status.consumerCount)",
                    36
                )
            )
        case .deleteQueue(let name, let ifUnused, let ifEmpty):
            report(deleted: try await channel.deleteQueue(name, ifUnused: ifUnused, ifEmpty: ifEmpty))
        case .purgeQueue(let name): report(deleted: try await channel.purgeQueue(name))
        case .get(let queue, let noAck):
            let message = try await channel.get(queue, noAck: noAck)
            if let message, !noAck { unacknowledged.insert(message.deliveryTag) }
            output.line(
                message.map { MessageDump.text(of: $0) } ?? "No messages in queue. basic.publish something."
            )
        case .publish(let message):
            try await channel.publish(message)
            if message.mandatory { output.line("The broker has confirmed the message.") }
        case .acknowledge(let tag): try await acknowledge(tag, on: channel)
        case .help, .exit: break
        }
    }

    /// Acknowledges, and has the broker answer something, so that it has taken note.
    private mutating func acknowledge(_ tag: UInt64, on channel: any BrokerChannel) async throws(AMQPError) {
        guard unacknowledged.remove(tag) != nil else {
            throw AMQPError(.invalidArgument, "there is no delivery \(tag) to acknowledge")
        }
        channel.settle(tag, .ack)
        try await channel.qos(prefetchCount: 0)
    }

    private func report(deleted count: Int) { output.line(colored("\(count) messages deleted.", 36)) }

    private func colored(_ text: String, _ color: Int) -> String {
        output.isColored ? "\u{1B}[1;\(color)m\(text)\u{1B}[0m" : text
    }
}
