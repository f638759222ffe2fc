internal import AMQP
internal import CeleryProtocol
internal import Logging

/// Fills an inbox with messages until its task is cancelled, and connects anew where that is needed.
struct EventConsumption: Sendable {
    let receiver: EventReceiver
    let inbox: EventInbox

    /// Consumes; ends the inbox where no further attempt is allowed.
    func run() async {
        var schedule = ReconnectSchedule(ReconnectSchedule.Policy(receiver.configuration))
        while !Task.isCancelled {
            var step: ReconnectSchedule.Step
            let reason: AMQPError
            do throws(AMQPError) {
                let connection = try await open()
                schedule.connected(now: .now)
                receiver.onStatus(.connected)
                reason = await end(of: connection) ?? AMQPError(.connectionClosed, "the connection was closed")
                step = schedule.lost(reason)
            } catch {
                reason = error
                step = schedule.failed(error)
            }
            if Task.isCancelled { break }
            let error = CeleryError(reason, "events cannot be received")
            guard case .attempt(let wait, _) = step else { return inbox.finish(.failure(error)) }
            receiver.onStatus(.disconnected(error))
            receiver.logger.debug("events are not received", metadata: ["error": "\(reason)"])
            try? await Task.sleep(for: wait)
        }
        inbox.finish(.success(()))
    }

    private func open() async throws(AMQPError) -> any BrokerConnection {
        let connection = try await receiver.broker.connect(.client)
        do throws(AMQPError) {
            let channel = try await connection.openChannel()
            let queue = EventQueue(configuration: receiver.configuration, routingKey: receiver.routingKey)
            try await queue.consume(on: channel) { [inbox] event in
                switch event {
                case .deliveries(let messages): inbox.put(messages)
                // Without its consumer the connection is of no use: a new one brings a new queue.
                case .cancelled, .closed: Task { await connection.close() }
                }
            }
            await wakeWorkers(on: channel)
            return connection
        } catch {
            await connection.close()
            throw error
        }
    }

    /// Asks the workers to make themselves known; where that fails they do so within seconds anyway.
    private func wakeWorkers(on channel: any BrokerChannel) async {
        let control = ControlTopology(receiver.configuration)
        let request = control.message(ControlRequest("heartbeat", clock: 1))
        do throws(AMQPError) {
            try await channel.declareExchange(control.exchange)
            try await channel.publish(request, deadline: .now + .seconds(5))
        } catch {
            receiver.logger.debug("no heartbeat could be asked for", metadata: ["error": "\(error)"])
        }
    }

    private func end(of connection: any BrokerConnection) async -> AMQPError? {
        await withTaskCancellationHandler {
            await connection.waitUntilClosed()
        } onCancel: {
            Task { await connection.close() }
        }
    }
}
