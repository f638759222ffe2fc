import AMQPValues
import Celery

extension DeliveryInfo {
    /// Where a message came from.
    init(_ message: IncomingMessage) {
        // What a worker has handed over to the delay ladder comes back under a key that names the queue.
        let isDelayed = message.exchange.hasPrefix(DelayLadder.commonPrefix)
        let queue = isDelayed ? DelayHandover.queue(ofKey: message.routingKey) : nil
        self.init(
            exchange: queue == nil ? message.exchange : "",
            routingKey: queue ?? message.routingKey,
            priority: message.properties.priority,
            redelivered: message.redelivered
        )
    }
}
