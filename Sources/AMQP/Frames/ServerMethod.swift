/// A method that the broker sends on a channel other than 0, with its arguments as Swift values.
enum ServerMethod: Sendable, Hashable {
    case deliver(ContentSource)
    case getOK(ContentSource, messageCount: Int)
    case returned(code: Int, text: String, exchange: String, routingKey: String)
    case ack(tag: UInt64, multiple: Bool)
    case nack(tag: UInt64, multiple: Bool)
    case cancel(consumerTag: String)
    case flow(active: Bool)
    case channelClose(CloseReason)
    case reply(ServerReply)
}

/// Where a message comes from, as `basic.deliver` and `basic.get-ok` tell it.
struct ContentSource: Sendable, Hashable {
    var consumerTag: String?
    var deliveryTag: UInt64
    var redelivered: Bool
    var exchange: String
    var routingKey: String
}

/// Why the broker closes a channel or a connection.
struct CloseReason: Sendable, Hashable {
    var code: Int
    var text: String
}

/// An answer to a request of ours.
///
/// Answers come in the order of the requests of their channel.
enum ServerReply: Sendable, Hashable {
    case channelOpen
    case channelClose
    case exchangeDeclare
    case exchangeDelete
    case exchangeBind
    case exchangeUnbind
    case queueDeclare(QueueStatus)
    case queueBind
    case queueUnbind
    case queuePurge(messageCount: Int)
    case queueDelete(messageCount: Int)
    case qos
    case consume(consumerTag: String)
    case cancel(consumerTag: String)
    case get(IncomingMessage?)
    case recover
    case confirmSelect
}
