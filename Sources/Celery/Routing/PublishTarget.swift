internal import AMQP

/// Where a message is published, and what has to exist first (`celery.app.amqp.send_task_message`).
struct PublishTarget: Sendable, Hashable {
    /// The exchange; empty for the default one.
    var exchange: String
    /// The key; with the default exchange the queue's name.
    var routingKey: String
    /// The queue to declare first; nil where the target is not the queue's own.
    var queue: Queue?

    init(_ options: TaskOptions, queue: Queue) {
        let own = queue.exchange
        let exchange = options.exchange.flatMap { $0.isEmpty ? nil : $0 }
        let key = options.routingKey.flatMap { $0.isEmpty ? nil : $0 }
        if exchange == nil || key == nil, own?.type ?? "direct" == "direct" {
            self.init(exchange: "", routingKey: queue.name, queue: queue.isBroadcast ? nil : queue)
        } else if let exchange {
            self.init(
                exchange: exchange,
                routingKey: key ?? "",
                queue: exchange == own?.name && !queue.isBroadcast ? queue : nil
            )
        } else {
            self.init(
                exchange: own?.name ?? "",
                routingKey: key ?? queue.routingKey ?? "",
                queue: queue.isBroadcast ? nil : queue
            )
        }
    }

    private init(exchange: String, routingKey: String, queue: Queue?) {
        self.exchange = exchange
        self.routingKey = routingKey
        self.queue = queue
    }
}
