internal import AMQP
internal import Logging
internal import Synchronization

/// What the views of one client share: the composer, the connections and the reply queue.
final class ClientCore: Sendable {
    let composer: TaskComposer
    let publisher: Publisher
    let backend: RPCResultBackend
    let logger: Logger
    private let middlewares: PublishMiddlewares
    private let registered: @Sendable (String) -> TaskOptions?

    init(
        broker: any Broker,
        configuration: CeleryConfiguration,
        logger: Logger,
        middlewares: [any PublishMiddleware],
        registered: @escaping @Sendable (String) -> TaskOptions?
    ) {
        composer = TaskComposer(configuration: configuration)
        publisher = Publisher(broker: broker, configuration: configuration, logger: logger)
        backend = RPCResultBackend(broker: broker, configuration: configuration, logger: logger)
        self.logger = logger
        self.middlewares = PublishMiddlewares(middlewares)
        self.registered = registered
    }

    func context(_ scope: TaskScope?, replyTo: String?) -> SendContext {
        SendContext(
            replyTo: replyTo,
            parentID: scope?.parentID,
            rootID: scope?.rootID,
            inheritedPriority: composer.configuration.taskInheritParentPriority ? scope?.priority : nil,
            registered: registered
        )
    }

    /// Publishes what was composed; with the reply queue in place where results come in there.
    func publish(_ composition: Composition, receivesResult: Bool) async throws(CeleryError) {
        let limit = composition.tasks.first?.publishTimeout
        try await limited(to: limit, late: { Self.late(limit) }) { [self] () async throws(CeleryError) in
            if receivesResult { try await prepareResults(composition) }
            for manifest in composition.manifests { try await publisher.publish(manifest) }
            try await publish(composition.tasks)
        }
    }

    private func prepareResults(_ composition: Composition) async throws(CeleryError) {
        try await retrying(composition.tasks.first?.retryPolicy, logger: logger) { () async throws(CeleryError) in
            try await backend.prepare()
        }
    }

    /// Publishes messages, those of a group at a time.
    private func publish(_ tasks: [ComposedTask]) async throws(CeleryError) {
        if tasks.count == 1 { return try await publish(tasks[0]) }
        let failure = await withTaskGroup(of: CeleryError?.self) { group in
            for task in tasks {
                group.addTask { [self] in
                    do throws(CeleryError) {
                        try await publish(task)
                        return nil
                    } catch {
                        return error
                    }
                }
            }
            return await group.reduce(nil) { $0 ?? $1 }
        }
        if let failure { throw failure }
    }

    private func publish(_ task: ComposedTask) async throws(CeleryError) {
        try await middlewares.publish(task) { (task) async throws(CeleryError) in try await publisher.publish(task) }
    }

    private static func late(_ limit: Duration?) -> CeleryError {
        CeleryError(.timeout, "the broker did not take the message within \(limit ?? .zero)")
    }

    func close() async {
        await publisher.close()
        await backend.close()
    }
}

/// The running task in whose name a worker's task sends others.
package struct TaskScope: Sendable {
    /// The running task's id, which becomes the parent's.
    package var parentID: String
    /// The first task of the running task's workflow.
    package var rootID: String
    /// The priority that the running task was delivered with.
    package var priority: UInt8?
    /// Told of everything that is sent, for the running task's list of children.
    package var onSent: (@Sendable (ResultTuple) -> Void)?

    package init(
        parentID: String,
        rootID: String,
        priority: UInt8? = nil,
        onSent: (@Sendable (ResultTuple) -> Void)? = nil
    ) {
        self.parentID = parentID
        self.rootID = rootID
        self.priority = priority
        self.onSent = onSent
    }
}
