import NIOCore
import NIOHTTP1

/// Answers the first request of a connection, and closes it.
final class RequestHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let responder: Responder
    private var request: HTTPRequestHead?
    private var hasAnswered = false

    init(_ responder: Responder) {
        self.responder = responder
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head) where request == nil:
            request = head
            answer(head, context)
        case .head, .body, .end: break
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // What is no HTTP gets no answer.
        context.close(promise: nil)
    }

    private func answer(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        let loop = context.eventLoop
        let bound = NIOLoopBound((handler: self, context: context), eventLoop: loop)
        let method = Response.Method(head.method)
        responder.respond(method, String(head.uri.prefix { $0 != "?" }), on: loop) { response in
            loop.execute { bound.value.handler.write(response, method, bound.value.context) }
        }
    }

    private func write(_ response: Response, _ method: Response.Method, _ context: ChannelHandlerContext) {
        guard context.channel.isActive, !hasAnswered else { return }
        hasAnswered = true
        var body = context.channel.allocator.buffer(capacity: response.body.utf8.count)
        body.writeString(response.body)
        var headers: HTTPHeaders = [
            "Content-Type": response.contentType, "Content-Length": "\(body.readableBytes)", "Connection": "close",
            "Cache-Control": "no-store",
        ]
        if response.status == 405 { headers.add(name: "Allow", value: "GET, HEAD") }
        let head = HTTPResponseHead(
            version: .http1_1,
            status: HTTPResponseStatus(statusCode: response.status),
            headers: headers
        )
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if method != .head { context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil) }
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in bound.value.close(promise: nil) }
    }
}

extension Response.Method {
    fileprivate init(_ method: HTTPMethod) {
        switch method {
        case .GET: self = .get
        case .HEAD: self = .head
        default: self = .other
        }
    }
}
