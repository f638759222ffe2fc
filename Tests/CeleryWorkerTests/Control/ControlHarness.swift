import AMQP
import Celery
import CeleryProtocol
import CeleryTestKit
import FoundationEssentials
import Testing

@testable import CeleryWorker

/// A client of remote control beside a worker over a broker in memory.
struct ControlHarness: Sendable {
    /// The node name of the worker in the captures.
    static let node = "w1@worker.example"
    static let replies = "asker.reply.celery.pidbox"
    static let oid = "00000000-0000-3000-8000-00000000c11e"

    let base: WorkerHarness
    var broker: InMemoryBroker { base.broker }
    var worker: Worker { base.worker }

    /// Runs a worker around the body, with its mailbox at work.
    static func run(
        _ configuration: WorkerConfiguration = ControlHarness.configuration(),
        celery: CeleryConfiguration = CeleryConfiguration(),
        register: (inout TaskRegistry) -> Void = { _ in },
        _ body: (ControlHarness) async throws -> Void
    ) async throws {
        try await WorkerHarness.run(configuration, celery: celery, register: register) { base in
            let harness = ControlHarness(base: base)
            try await harness.prepare()
            try await body(harness)
        }
    }

    static func configuration(pool: WorkerConfiguration.Pool = .tasks) -> WorkerConfiguration {
        var configuration = WorkerConfiguration(queues: ["work"], concurrency: 2, hostname: node, pool: pool)
        configuration.childExecutable = PoolHarness.executable
        return configuration
    }

    /// Waits for the mailbox, and makes the queue of replies.
    func prepare() async throws {
        let mailbox = "\(worker.hostname).celery.pidbox"
        try await eventually("the mailbox") { broker.consumerCount(of: mailbox) == 1 }
        broker.declareExchange(ExchangeDeclaration(name: "reply.celery.pidbox", type: "direct", durable: false))
        broker.declareQueue(
            QueueDeclaration(name: Self.replies, durable: false),
            boundTo: "reply.celery.pidbox",
            routingKey: Self.oid
        )
    }

    /// Sends a request as it is.
    func send(_ request: ControlRequest) throws {
        try broker.publish(
            OutgoingMessage(
                exchange: "celery.pidbox",
                routingKey: "",
                properties: request.properties(),
                body: request.encodedBody()
            )
        )
    }

    /// Sends a request and waits for its reply.
    func ask(
        _ method: String,
        _ arguments: JSONObject = [:],
        location: SourceLocation = #_sourceLocation
    ) async throws -> JSONValue {
        let request = ControlRequest(
            method,
            arguments: arguments,
            destination: [worker.hostname],
            ticket: TaskID.make(),
            replyTo: ControlRequest.ReplyAddress(exchange: "reply.celery.pidbox", routingKey: Self.oid)
        )
        try send(request)
        return try await reply(to: request, location: location).value
    }

    /// The reply of a request, once it is there.
    func reply(
        to request: ControlRequest,
        location: SourceLocation = #_sourceLocation
    ) async throws -> ControlReply {
        var found: ControlReply?
        try await eventually("a reply to \(request.method)", location: location) {
            found = try replies().first { $0.ticket == request.ticket }
            return found != nil
        }
        return try #require(found, sourceLocation: location)
    }

    /// All replies so far.
    func replies() throws -> [ControlReply] {
        try broker.messages(in: Self.replies).map {
            try ControlReply(decoding: $0.properties, body: $0.body)
        }
    }
}

/// A captured pair of a request and its reply.
struct ControlCapture: Sendable {
    let request: ControlRequest
    let reply: ControlReply?

    /// The names of all pairs.
    static func names() throws -> [String] {
        let index = try JSONValue(parsing: bytes("index"))
        let files = (index.arrayValue ?? []).compactMap { $0["file"]?.stringValue }
        let requests = files.filter { $0.hasPrefix("control_") && $0.hasSuffix(".request.json") }
        return requests.map { String($0.dropFirst("control_".count).dropLast(".request.json".count)) }
    }

    init(_ name: String) throws {
        let (properties, body) = try Self.message("control_\(name).request")
        request = try ControlRequest(decoding: properties, body: body)
        guard let (replyProperties, replyBody) = try? Self.message("control_\(name).reply") else {
            reply = nil
            return
        }
        reply = try ControlReply(decoding: replyProperties, body: replyBody)
    }

    private static func message(_ file: String) throws -> (BasicProperties, [UInt8]) {
        let json = try JSONValue(parsing: bytes(file))
        let body = Data(base64Encoded: json["body_base64"]?.stringValue ?? "")
        var properties = BasicProperties()
        properties.contentType = json["properties"]?["content_type"]?.stringValue
        properties.headers = ["ticket": .string(json["headers"]?["ticket"]?.stringValue ?? "")]
        return (properties, Array(try #require(body)))
    }

    private static func bytes(_ file: String) throws -> [UInt8] {
        let folder = URL(filePath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "CeleryProtocolTests/Golden")
        return Array(try Data(contentsOf: folder.appending(path: file + ".json")))
    }
}
