public import CeleryWorker
public import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
public import ServiceLifecycle
import Synchronization

/// Answers probes and Prometheus about one worker, over HTTP.
///
/// ```swift
/// let health = HealthServer(worker: worker, port: 8080, logger: logger)
/// let group = ServiceGroup(services: [health, worker], logger: logger)   // the worker ends first
/// ```
/// `/live` answers 200 as long as the worker's own thread does its work; `/ready` as long as the worker is connected, consumes
/// from all of its queues and does not end; `/startup` from the time on when all queues were consumed; `/metrics` has
/// everything in Prometheus' text format. Otherwise the answer is 503 with the reason as text.
///
/// One thread of its own serves all connections. Each takes one request of at most 16 KiB, ten seconds long; there are at most
/// 64 at a time. Nothing is protected by a password: listen on an address that strangers do not reach.
public final class HealthServer: Service, HealthEndpoint {
    private struct Listening {
        let group: MultiThreadedEventLoopGroup
        let channel: any Channel
    }

    /// How many tasks are told apart in metrics; the others count as one.
    static let taskLimit = 500

    private let responder: Responder
    private let limits: ConnectionLimits
    private let address: String
    private let wantedPort: Int
    private let logger: Logger
    private let listening = Mutex<Listening?>(nil)

    /// Makes a server, which listens from ``run()`` or ``start()`` on.
    ///
    /// From now on the worker measures its tasks.
    ///
    /// - Parameters:
    ///   - worker: the worker that is asked about.
    ///   - address: the address to listen on; the machine itself only, unless another one is given.
    ///   - port: the port; 0 for any free one.
    ///   - logger: where the server logs to.
    public convenience init(worker: Worker, address: String = "127.0.0.1", port: Int, logger: Logger) {
        self.init(worker: worker, address: address, port: port, logger: logger, limits: ConnectionLimits())
    }

    init(worker: Worker, address: String, port: Int, logger: Logger, limits: ConnectionLimits) {
        worker.measureTasks(limit: Self.taskLimit)
        responder = Responder(worker: worker, patience: limits.patience)
        self.limits = limits
        self.address = address
        self.logger = logger
        wantedPort = port
    }

    /// The port that the server listens on; nil while it does not.
    public var port: Int? { listening.withLock { $0?.channel.localAddress?.port } }

    /// Starts to listen.
    ///
    /// - Throws: what prevents it, such as an address that is in use.
    public func start() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do {
            let channel = try await bootstrap(group).bind(host: address, port: wantedPort).get()
            listening.withLock { $0 = Listening(group: group, channel: channel) }
            logger.info(
                "Answering probes and metrics",
                metadata: ["address": "\(address)", "port": "\(channel.localAddress?.port ?? wantedPort)"]
            )
        } catch {
            try? await group.shutdownGracefully()
            throw error
        }
    }

    /// Stops listening, and closes all connections.
    public func stop() async {
        let listening = listening.withLock { state in
            defer { state = nil }
            return state
        }
        guard let listening else { return }
        try? await listening.channel.close()
        try? await listening.group.shutdownGracefully()
    }

    /// Listens until a graceful shutdown, or its cancellation.
    ///
    /// In a `ServiceGroup` it stands before the worker, so that it ends after that.
    public func run() async throws {
        try await start()
        try? await gracefulShutdown()
        await stop()
    }

    /// Makes a server and starts it.
    public static func start(
        for worker: Worker,
        address: String,
        port: Int,
        logger: Logger
    ) async throws -> HealthServer {
        let server = HealthServer(worker: worker, address: address, port: port, logger: logger)
        try await server.start()
        return server
    }

    private func bootstrap(_ group: MultiThreadedEventLoopGroup) -> ServerBootstrap {
        ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 64)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { [responder, limits, open = OpenConnections()] channel in
                guard open.enter(limit: limits.connections) else {
                    return channel.eventLoop.makeFailedFuture(ConnectionLimits.TooMany())
                }
                channel.closeFuture.whenComplete { _ in open.leave() }
                return channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(ConnectionGuard(limits))
                    try pipeline.configureHTTPServerPipeline(withPipeliningAssistance: false, withErrorHandling: false)
                    try pipeline.addHandler(RequestHandler(responder))
                }
            }
    }
}
