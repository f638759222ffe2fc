public import AMQP

/// A task message on its way to the broker, as those see it that watch or change what is published.
public struct TaskPublication: Sendable {
    /// The task's name.
    public let task: String
    /// The task's id.
    public let id: String
    /// The exchange that it is published to; empty for the default one.
    public let exchange: String
    /// The routing key that it is published with.
    public let routingKey: String
    /// The encoded body: arguments and what follows the task.
    public let body: [UInt8]
    /// The properties of the message, its headers among them.
    public var properties: BasicProperties

    /// The headers of the message: Celery's own and custom ones, such as those of a tracer.
    ///
    /// A header's name has at most 255 bytes.
    public var headers: FieldTable {
        get { properties.headers ?? [:] }
        set { properties.headers = newValue }
    }

    /// Describes a composed message.
    package init(_ task: ComposedTask) {
        self.task = task.task
        id = task.id
        exchange = task.message.exchange
        routingKey = task.message.routingKey
        body = task.message.body
        properties = task.message.properties
    }
}
