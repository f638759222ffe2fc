import AMQP
import CeleryProtocol

/// A message on its way to another broker, or queue.
struct MigratedMessage: Sendable, Hashable {
    /// What is published: body, headers and properties as they are, so that it is the same task.
    let outgoing: OutgoingMessage
    /// Its number at the source.
    let deliveryTag: UInt64
    /// The task's name, where the message tells.
    let task: String?
    /// The task's id, where the message tells.
    let id: String?

    /// Prepares a message; its exchange and its routing key are renamed as its queue is.
    init(_ message: IncomingMessage, queues: QueueMap) {
        outgoing = OutgoingMessage(
            exchange: queues.renamed(message.exchange),
            routingKey: queues.renamed(message.routingKey),
            mandatory: true,
            properties: message.properties,
            body: message.body
        )
        deliveryTag = message.deliveryTag
        if let envelope = try? ReceivedTask.recognise(message.properties, body: message.body) {
            task = envelope.headers.task
            id = envelope.headers.id
        } else {
            // A body of another type, or one that only Python can read: the headers may tell.
            (task, id) = ReceivedTask.identity(of: message.properties)
        }
    }

    /// The task for a line of the report.
    var description: String { "\(task ?? "?")[\(id ?? "?")]" }
}
