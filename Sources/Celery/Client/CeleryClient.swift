public import AMQP
public import Logging
public import ServiceLifecycle

/// Sends tasks and receives their results.
///
/// ```swift
/// let celery = try CeleryClient(configuration: .init(broker: "amqp://…"), logger: logger)
/// let handle = try await celery.send(Tasks.add(2, 3))
/// let five = try await handle.value(timeout: .seconds(10))
/// ```
/// The client connects when it is first used: over one connection it publishes, over another one, which is opened only where
/// results are wanted, it reads its reply queue, so that a broker that holds back publishers does not hold back results.
/// After a lost connection the next operation connects again. Any number of sends may be under way at a time, up to
/// ``CeleryConfiguration/publishWindow`` wait for the broker's confirm.
///
/// As a service it waits for a graceful shutdown and closes its connections; sending works without that too.
public final class CeleryClient: Service, Sendable {
    let core: ClientCore
    let scope: TaskScope?

    /// Makes a client.
    ///
    /// It connects when it is first used.
    ///
    /// - Parameters:
    ///   - configuration: the settings.
    ///   - logger: where the client logs to; nothing above debug but lost results and trouble with connections.
    ///   - middlewares: what stands around the publishing of each message, the outermost first.
    /// - Throws: ``CeleryError/Code/invalidConfiguration`` for settings that cannot be used, such as a broker URL that
    ///   cannot be read.
    public convenience init(
        configuration: CeleryConfiguration = CeleryConfiguration(),
        logger: Logger,
        middlewares: [any PublishMiddleware] = []
    ) throws(CeleryError) {
        try configuration.validate()
        let broker = try AMQPBroker(
            configuration: configuration,
            connectionName: "swcelery client \(ProcessIdentity.origin)",
            logger: logger
        )
        self.init(broker: broker, configuration: configuration, logger: logger, middlewares: middlewares)
    }

    /// Makes a client of any broker.
    ///
    /// - Parameters:
    ///   - broker: where connections come from.
    ///   - configuration: the settings.
    ///   - logger: where the client logs to.
    ///   - middlewares: what stands around the publishing of each message, the outermost first.
    ///   - registered: the own options of tasks that this process has registered (a worker's); nil for others.
    package init(
        broker: any Broker,
        configuration: CeleryConfiguration = CeleryConfiguration(),
        logger: Logger,
        middlewares: [any PublishMiddleware] = [],
        registered: @escaping @Sendable (String) -> TaskOptions? = { _ in nil }
    ) {
        core = ClientCore(
            broker: broker,
            configuration: configuration,
            logger: logger,
            middlewares: middlewares,
            registered: registered
        )
        scope = nil
    }

    private init(core: ClientCore, scope: TaskScope) {
        self.core = core
        self.scope = scope
    }

    /// The same client for a running task: what is sent gets the task as its parent.
    package func within(_ scope: TaskScope) -> CeleryClient {
        CeleryClient(core: core, scope: scope)
    }

    /// The settings.
    public var configuration: CeleryConfiguration { core.composer.configuration }

    /// Whether the broker holds publishers back for now (`connection.blocked`: it is short of memory or disk), and why.
    ///
    /// Sends then wait until it takes messages again, or until their ``CeleryConfiguration/publishTimeout``.
    public var blockedState: BlockedState { core.publisher.blockedState }

    /// Waits for a graceful shutdown, or for its cancellation, and shuts the client down.
    public func run() async throws {
        try? await gracefulShutdown()
        await shutdown()
    }

    /// Closes the connections, after the publishes under way were confirmed or five seconds are over, and deletes the reply
    /// queue.
    ///
    /// Who waits for a result gets ``CeleryError/Code/closed``, and so do later sends.
    public func shutdown() async {
        await core.close()
    }
}

/// Runs a body with a client that is shut down behind it.
///
/// - Parameters:
///   - configuration: the settings.
///   - logger: where the client logs to.
///   - middlewares: what stands around the publishing of each message, the outermost first.
///   - body: what uses the client.
/// - Returns: what the body returns.
/// - Throws: ``CeleryError/Code/invalidConfiguration``, and what the body throws.
public func withCeleryClient<Result>(
    configuration: CeleryConfiguration = CeleryConfiguration(),
    logger: Logger,
    middlewares: [any PublishMiddleware] = [],
    _ body: (CeleryClient) async throws -> Result
) async throws -> Result {
    let client = try CeleryClient(configuration: configuration, logger: logger, middlewares: middlewares)
    return try await withCeleryClient(client, body)
}

/// Runs a body with this client, which is shut down behind it.
package func withCeleryClient<Result>(
    _ client: CeleryClient,
    _ body: (CeleryClient) async throws -> Result
) async throws -> Result {
    do {
        let result = try await body(client)
        await client.shutdown()
        return result
    } catch {
        await client.shutdown()
        throw error
    }
}
