import NIOCore
import Synchronization

/// What clients may ask of the server before they are cut off.
struct ConnectionLimits: Sendable {
    /// There are too many connections for a further one.
    struct TooMany: Error {}

    /// Connections at a time.
    var connections = 64
    /// Bytes that one connection may send.
    var bytes = 16 * 1_024
    /// How long a connection may last, from its first moment to the end of its answer.
    var lifetime = TimeAmount.seconds(10)
    /// How long the worker may take to show that it lives.
    var patience = TimeAmount.seconds(5)
}

/// How many connections are open.
final class OpenConnections: Sendable {
    private let count = Atomic<Int>(0)

    /// Counts a connection in; false where there are enough.
    func enter(limit: Int) -> Bool {
        guard count.add(1, ordering: .relaxed).newValue <= limit else {
            count.subtract(1, ordering: .relaxed)
            return false
        }
        return true
    }

    /// Counts a connection out.
    func leave() { count.subtract(1, ordering: .relaxed) }
}

/// Cuts off a connection that sends too much, or takes too long.
final class ConnectionGuard: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let limits: ConnectionLimits
    private var received = 0
    private var deadline: Scheduled<Void>?

    init(_ limits: ConnectionLimits) {
        self.limits = limits
    }

    func handlerAdded(context: ChannelHandlerContext) {
        deadline = context.eventLoop.scheduleTask(in: limits.lifetime) { [channel = context.channel] in
            channel.close(promise: nil)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        received += unwrapInboundIn(data).readableBytes
        guard received <= limits.bytes else {
            context.close(promise: nil)
            return
        }
        context.fireChannelRead(data)
    }

    func channelInactive(context: ChannelHandlerContext) {
        deadline?.cancel()
        context.fireChannelInactive()
    }
}
