import AMQPValues
import Celery

/// The delay ladder of the publishing connection, declared when it is first needed.
struct PublishedLadder: DelayLadderAccess {
    /// The declarations of the connection of the moment.
    let topology: CurrentValue<TopologyDeclarer>
    let queueType: QueueType

    /// Only a queue that outlives its workers is worth the wait, and an exclusive one cannot be bound from here.
    func admits(_ queue: Queue) -> Bool {
        let declaration = queue.declaration
        return !queue.isBroadcast && !declaration.exclusive && !declaration.autoDelete
            && DelayHandover.isPossible(for: queue.name)
    }

    func prepare(_ queue: String) async throws(CeleryError) {
        guard let declarer = await topology.wait() else { throw CeleryError(.closed, "the worker has ended") }
        try await declarer.prepareHandover(of: queue, queueType)
    }

    func forget(_ queue: Queue) { topology.current?.forget(queue) }

    func message(
        _ original: IncomingMessage,
        queue: String,
        seconds: Int
    ) throws(CeleryError) -> OutgoingMessage {
        try DelayHandover.message(original, queue: queue, seconds: seconds)
    }
}
