import FoundationEssentials
import NIOCore
import NIOPosix
import Testing

/// Talks to a server in raw bytes, as hostile clients do, too.
enum HTTPClient {
    struct Answer {
        let status: Int
        let headers: [String: String]
        let body: String
    }

    /// What comes back until the server closes the connection, after these bytes were sent.
    static func exchange(_ port: Int, sending text: String) async throws -> String {
        let group = MultiThreadedEventLoopGroup.singleton
        let whole = group.next().makePromise(of: String.self)
        let channel = try await ClientBootstrap(group: group)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Collector(whole))
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        if !text.isEmpty { try? await channel.writeAndFlush(ByteBuffer(string: text)).get() }
        return try await whole.futureResult.get()
    }

    static func get(_ port: Int, _ path: String, method: String = "GET") async throws -> Answer {
        let text = try await exchange(port, sending: "\(method) \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n")
        return try #require(Answer(text))
    }

    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let whole: EventLoopPromise<String>
        private var text = ""

        init(_ whole: EventLoopPromise<String>) {
            self.whole = whole
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            text += String(buffer: unwrapInboundIn(data))
        }

        func channelInactive(context: ChannelHandlerContext) { whole.succeed(text) }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}

extension HTTPClient.Answer {
    init?(_ text: String) {
        guard let end = text.firstRange(of: "\r\n\r\n") else { return nil }
        let lines = text[..<end.lowerBound].split(separator: "\r\n")
        guard let status = lines.first?.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else { return nil }
        self.status = status
        headers = Dictionary(
            lines.dropFirst().compactMap { line in
                line.firstIndex(of: ":").map {
                    (line[..<$0].lowercased(), line[line.index(after: $0)...].drop { $0 == " " }.description)
                }
            }
        ) { $1 }
        body = String(text[end.upperBound...])
    }
}
