import AMQP
import Celery
import CeleryProtocol
import Logging
import Synchronization

/// Sends tasks for a worker: what running tasks send, and what follows them.
///
/// Queues are declared first, once per connection. Every message is confirmed. Tasks that a worker sends have no reply
/// queue of the worker's: nobody in it waits for their results. Steps of a chain keep the reply queue that their sender
/// gave them.
final class TaskSender: Sendable {
    /// Connects sends with the publishing connection of the moment; nil while there is none.
    let topology = CurrentValue<TopologyDeclarer>()
    let composer: TaskComposer
    private let publisher: ConfirmPublisher
    private let origin: String
    private let tasks: TaskTable
    private let logger: Logger

    init(composer: TaskComposer, publisher: ConfirmPublisher, tasks: TaskTable, origin: String, logger: Logger) {
        self.composer = composer
        self.publisher = publisher
        self.tasks = tasks
        self.origin = origin
        self.logger = logger
    }

    /// Sends a task on behalf of a running one and counts it as its child.
    func sendChild(
        _ signature: Signature,
        options: TaskOptions,
        of run: TaskRun
    ) async throws(CeleryError) -> String {
        let composition =
            if signature.options[TaskComposer.joinsChord] == true {
                try composer.addToChord(
                    of: message(of: run),
                    signature,
                    ordinal: run.nextAddition(),
                    context: context(of: run)
                )
            } else {
                try composer.compose(
                    signature,
                    options: options,
                    context: context(of: run).within(run.request.envelope.headers)
                )
            }
        try await send(composition, childrenOf: run)
        return composition.groupID ?? composition.lineage.last ?? ""
    }

    /// Sends the callbacks of a successful task.
    func sendCallbacks(of run: TaskRun, result: JSONValue) async throws(CeleryError) {
        let message = message(of: run)
        try await send(
            composer.composeCallbacks(after: message, result: result, context: context(of: run)),
            childrenOf: run
        )
    }

    /// Sends the next step of a successful task's chain.
    func sendChainStep(of run: TaskRun, result: JSONValue) async throws(CeleryError) {
        let message = message(of: run)
        try await send(
            composer.composeChainStep(after: message, result: result, context: context(of: run)),
            childrenOf: run
        )
    }

    /// Sends the errbacks of a failed task, each with the task's id as its argument, except for those at these positions,
    /// which were called where the body failed.
    func sendErrbacks(of run: TaskRun, except called: [Int] = []) async throws(CeleryError) {
        let called = Set(called)
        let errbacks = (run.body.embed.errbacks ?? []).enumerated().filter { !called.contains($0.offset) }
        let composition = try composer.composeErrbacks(
            errbacks.map(\.element),
            after: run.request.envelope.headers,
            context: context(of: run)
        )
        try await send(composition)
    }

    /// Sends a task again by itself; where its body wants that, the same task counts as its own child, as Celery has it.
    func sendRetry(of run: TaskRun, _ request: RetryRequest, isChild: Bool = true) async throws(CeleryError) {
        let info = run.request.info
        let task = try composer.retry(
            message(of: run),
            exchange: info.exchange,
            routingKey: info.routingKey,
            request: request,
            context: context(of: run)
        )
        try await send(task)
        if isChild { run.addChild(ResultTuple(id: run.request.id)) }
    }

    /// Sends a signature in the place of a running task, under its id.
    ///
    /// Its result goes to the task's caller, who otherwise would wait for ever, as Celery's callers do.
    func sendReplacement(of run: TaskRun, _ signature: Signature) async throws(CeleryError) {
        let composition = try composer.replace(
            message(of: run),
            with: signature,
            replyTo: run.request.wantsResult ? run.request.replyTo : nil,
            context: context(of: run)
        )
        try await send(composition)
        run.isReplaced.store(true, ordering: .relaxed)
    }
}

extension TaskSender {
    private func message(of run: TaskRun) -> TaskMessage {
        let envelope = run.request.envelope
        return TaskMessage(headers: envelope.headers, body: run.body, properties: envelope.properties)
    }

    private func context(of run: TaskRun) -> SendContext {
        SendContext(
            origin: origin,
            inheritedPriority: composer.configuration.taskInheritParentPriority ? run.request.info.priority : nil,
            registered: { [tasks] name in tasks[name]?.sendOptions }
        )
    }

    /// The surroundings of what follows a chord.
    var chordContext: SendContext {
        SendContext(origin: origin, registered: { [tasks] name in tasks[name]?.sendOptions })
    }

    /// Sends what was composed, and remembers the children of the running task.
    private func send(_ composition: Composition, childrenOf run: TaskRun) async throws(CeleryError) {
        try await send(composition)
        for child in composition.children { run.addChild(child) }
    }

    /// Makes the chords known to their collectors, and then sends the tasks.
    func send(_ composition: Composition) async throws(CeleryError) {
        for manifest in composition.manifests { try await publish(manifest) }
        for task in composition.tasks { try await send(task) }
    }

    /// Sends what was composed; a task that is refused does not hide those behind it.
    ///
    /// - Returns: why tasks were refused. Without its collector no chord is sent, and nothing else either.
    /// - Throws: ``CeleryError`` where the broker cannot be reached, or the worker has ended.
    func sendEach(_ composition: Composition) async throws(CeleryError) -> [CeleryError] {
        for manifest in composition.manifests {
            if let refusal = try await refusal({ () async throws(CeleryError) in try await publish(manifest) }) {
                return [refusal]
            }
        }
        var refused: [CeleryError] = []
        for task in composition.tasks {
            if let refusal = try await refusal({ () async throws(CeleryError) in try await send(task) }) {
                refused.append(refusal)
            }
        }
        return refused
    }

    /// Why something was not sent; nil where it was.
    private func refusal(_ send: () async throws(CeleryError) -> Void) async throws(CeleryError) -> CeleryError? {
        do {
            try await send()
            return nil
        } catch {
            guard !error.isOutage else { throw error }
            return error
        }
    }

    private func send(_ task: ComposedTask) async throws(CeleryError) {
        let hooks = tasks.hooks
        try await hooks.publishing.publish(task) { (task) async throws(CeleryError) in
            hooks.signals.beforeTaskPublish.send(TaskPublication(task), logger)
            try await publish(task)
            hooks.signals.afterTaskPublish.send(TaskPublication(task), logger)
        }
    }

    private func publish(_ task: ComposedTask) async throws(CeleryError) {
        try await prepareTarget(of: task)
        switch await publisher.publish(task.message) {
        case .confirmed: return
        case .unroutable(let error), .failed(let error):
            throw CeleryError(error, "the task '\(task.task)' could not be sent")
        }
    }

    /// Declares the task's queue, or checks its exchange, on the next connection if this one is lost meanwhile.
    private func prepareTarget(of task: ComposedTask) async throws(CeleryError) {
        var tries = 0
        while true {
            guard let topology = await topology.wait() else { throw CeleryError(.closed, "the worker has ended") }
            do {
                return try await topology.prepare(for: task)
            } catch {
                guard error.code == .connection, let delay = RetryPolicy.results.delay(beforeRetry: tries) else {
                    throw error
                }
                tries += 1
                await Alarm.sleep(delay)
            }
        }
    }
}
