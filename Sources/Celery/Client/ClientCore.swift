internal import AMQP
internal import Logging
internal import Synchronization

/// What the views of one client share: the composer, the connections and the reply queue.
final class ClientCore: Sendable {
    let composer: TaskComposer
    let publisher: Publisher
    let backend: RPCResultBackend
    let logger: Logger
    private let registered: @Sendable (String) -> TaskOptions?

    init(
        broker: any Broker,
        configuration: CeleryConfiguration,
        logger: Logger,
        registered: @escaping @Sendable (String) -> TaskOptions?
    ) {
        composer = TaskComposer(configuration: configuration)
        publisher = Publisher(broker: broker, window: configuration.publishWindow, logger: logger)
        backend = RPCResultBackend(broker: broker, configuration: configuration, logger: logger)
        self.logger = logger
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
        if receivesResult {
            try await retrying(composition.tasks.first?.retryPolicy, logger: logger) { () async throws(CeleryError) in
                try await backend.prepare()
            }
        }
        for task in composition.tasks { try await publisher.publish(task) }
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
