import AMQP
import Celery
import CeleryProtocol
import Logging
import Synchronization

/// Runs tasks in a child process, one after the other, as the worker sends them.
final class ChildSession: Sendable {
    private struct State {
        var run: UInt64?
        var interruption: Interruption?
        var lastQuestion: UInt64 = 0
        var questions: [UInt64: CheckedContinuation<WorkerFrame.Answer, Never>] = [:]
    }

    let hostname: String
    let logger: Logger
    private let pipe: ChildPipe
    private let tasks: TaskTable
    private let maxPayload: Int
    private let state = Mutex(State())

    init(pipe: ChildPipe, setup: ChildSetup, tasks: TaskTable, logger: Logger) {
        self.pipe = pipe
        self.tasks = tasks
        self.logger = logger
        hostname = setup.hostname
        maxPayload = setup.maxPayload
    }

    /// Tells the worker that the child is ready, and listens to it from now on.
    ///
    /// On a thread of its own: whatever a body does with the others, the child hears that it is to end, and does not outlive
    /// its worker.
    func start() throws(AMQPError) {
        try DetachedThread.start(name: "swcelery.child") { self.listen() }
        tasks.hooks.signals.workerProcessInit.send(WorkerSignal(hostname: hostname), logger)
        pipe.write(.up(version: ChildFrame.version))
    }

    private func listen() {
        while let frame = (try? pipe.read()) ?? nil {
            switch frame {
            case .setup: break
            case .task(let order): begin(order)
            case .answer(let number, let answer):
                state.withLock { $0.questions.removeValue(forKey: number) }?.resume(returning: answer)
            case .cancel(let run, let reason): cancel(run, reason)
            case .stop: ChildStart.exit(0, flushing: true)
            }
        }
        // Without a worker nobody wants the outcome, and whoever takes the task up must not meet this run.
        ChildStart.exit(0, flushing: false)
    }

    /// Begins a run; what may come to cancel it finds it there.
    private func begin(_ order: WorkerFrame.TaskOrder) {
        let interruption = Interruption()
        state.withLock { state in
            state.run = order.run
            state.interruption = interruption
        }
        Task { await run(order, interruption) }
    }

    private func cancel(_ run: UInt64, _ reason: Interruption.Reason) {
        let interruption = state.withLock { $0.run == run ? $0.interruption : nil }
        interruption?.interrupt(reason)
    }

    /// Asks the worker for something on behalf of a run.
    func ask(_ question: ChildFrame.Question, of run: UInt64) async -> WorkerFrame.Answer {
        await withCheckedContinuation { continuation in
            let number = state.withLock { state -> UInt64 in
                state.lastQuestion += 1
                state.questions[state.lastQuestion] = continuation
                return state.lastQuestion
            }
            let frame = ChildFrame.question(run: run, number: number, question).encoded()
            guard frame.count - FrameBuffer.headerSize > maxPayload else { return pipe.write(frame) }
            let answer = WorkerFrame.Answer.failed(
                code: CeleryError.Code.messageTooLarge.description,
                message: "what the task sends has \(frame.count) bytes"
            )
            state.withLock { $0.questions.removeValue(forKey: number) }?.resume(returning: answer)
        }
    }
}

// MARK: - Runs

extension ChildSession {
    private func run(_ order: WorkerFrame.TaskOrder, _ interruption: Interruption) async {
        let outcome: TaskOutcome
        do {
            let invocation = try invocation(order, interruption)
            outcome = await run(invocation, order.run)
        } catch {
            // The worker has read the same message before.
            pipe.write(.accepted(run: order.run))
            outcome = .failure(TaskOutcome.Failure(ExceptionInfo(mapping: error), task: "unknown"))
        }
        interruption.end()
        state.withLock { state in
            state.run = nil
            state.interruption = nil
        }
        report(outcome, of: order.run)
    }

    private func run(_ invocation: Invocation, _ run: UInt64) async -> TaskOutcome {
        let host = ChildHost(session: self, run: run)
        pipe.write(.accepted(run: run))
        let body = Task { await BodyRunner.run(invocation, host: host) }
        // On a thread of its own: this calls what the body has registered for it, which may block, and the worker is heard on.
        invocation.interruption.onInterrupt { _ in
            try? DetachedThread.start(name: "swcelery.cancel") { body.cancel() }
        }
        return await body.value
    }

    private func invocation(_ order: WorkerFrame.TaskOrder, _ interruption: Interruption) throws -> Invocation {
        let message = try MessageUnpacker.unpack(order.message)
        let envelope = try ReceivedTask.recognise(message.properties, body: message.body, limits: Self.limits)
        guard let task = tasks[envelope.headers.task] else {
            throw CeleryError(.childStartFailed, "the child process knows no task '\(envelope.headers.task)'")
        }
        let info = DeliveryInfo(
            exchange: message.exchange,
            routingKey: message.routingKey,
            priority: message.properties.priority,
            redelivered: order.redelivered
        )
        return Invocation(
            task: task,
            envelope: envelope,
            body: try envelope.decodedBody(),
            info: info,
            interruption: interruption
        )
    }

    /// The worker has applied its own limits before.
    private static let limits = JSONLimits(maxDepth: JSONLimits.greatestDepth, maxBytes: .max)

    private func report(_ outcome: TaskOutcome, of run: UInt64) {
        let frame = ChildFrame.result(run: run, outcome).encoded()
        guard frame.count - FrameBuffer.headerSize > maxPayload else { return pipe.write(frame) }
        let exception = ExceptionInfo(
            type: "EncodeError",
            module: "kombu.exceptions",
            arguments: [.string("the result could not be sent: it has \(frame.count) bytes")]
        )
        pipe.write(.result(run: run, .failure(TaskOutcome.Failure(exception: exception, traceback: nil))))
    }
}
