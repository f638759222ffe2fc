import AMQP
import Celery

/// Looks at the results that wait in a queue, and leaves them there.
struct ReplyQueueReader {
    /// Most messages that are looked at, so that a long queue does not fill the memory.
    private static let limit = 10_000

    let queue: String
    let broker: any Broker

    /// The result of this task that waits in the queue: the final one where there is one, else the last.
    ///
    /// The messages are taken without acknowledgement; when the connection is closed the broker puts them back in their
    /// places.
    ///
    /// - Throws: `CommandFailure` with the status `unavailable` where there is no such queue or result.
    func latestResult(of id: String) async throws -> ResultMessage {
        do throws(AMQPError) {
            let connection = try await broker.connect(.client)
            let (result, isComplete) = try await search(connection, for: id)
            await connection.close()
            guard let result else { throw AMQPError(.timeout, Self.absence(of: id, in: queue, isComplete: isComplete)) }
            return result
        } catch {
            throw failure(error)
        }
    }

    private func search(
        _ connection: any BrokerConnection,
        for id: String
    ) async throws(AMQPError) -> (ResultMessage?, isComplete: Bool) {
        let channel = try await connection.openChannel()
        var found: ResultMessage?
        for _ in 0..<Self.limit {
            guard let message = try await channel.get(queue, noAck: false) else { return (found, true) }
            guard
                let result = try? ResultMessage(
                    decoding: message.body,
                    correlationID: message.properties.correlationID
                ),
                result.taskID == id
            else { continue }
            found = result
            if result.state.isReady { return (found, true) }
        }
        return (found, false)
    }

    private static func absence(of id: String, in queue: String, isComplete: Bool) -> String {
        let scope = isComplete ? "" : " among its first \(limit) messages"
        return "No result of the task \(id) waits in the queue '\(queue)'\(scope)."
    }

    private func failure(_ error: AMQPError) -> CommandFailure {
        switch (error.code, error.replyCode) {
        case (.timeout, nil): CommandFailure(error.message, status: .unavailable)
        case (_, 404?): CommandFailure("There is no queue '\(queue)'.", status: .unavailable)
        case (_, 405?): CommandFailure("The queue '\(queue)' belongs to another connection.", status: .unavailable)
        default: CommandFailure(CeleryError(error, "the queue cannot be read"))
        }
    }
}
