import AMQP
import Celery
import CeleryProtocol
import Synchronization

/// Executes bodies in the child of a slot.
///
/// The request is taken for good, with the early acknowledgement, before the child hears of it: so a body starts only if its
/// acknowledgement went out. A child that dies before it has begun the body has not run it; another one gets the task. Once
/// it has begun, nothing runs it again but the broker.
struct ChildExecutor: BodyExecutor {
    /// How many children may die one after the other before they have begun the body.
    private static let mostAttempts = 10

    let slot: PoolSlot
    let options: ProcessPoolOptions
    let services: TaskServices
    let shared: ChildRuns
    /// Gives back a request that will not start.
    let giveBack: @Sendable (TaskRequest) -> Void

    func execute(_ run: TaskRun, accept: @Sendable () -> Bool) async -> TaskOutcome? {
        slot.setRunning(true)
        defer { slot.setRunning(false) }
        guard var child = await slot.child() else {
            giveBack(run.request)
            return nil
        }
        run.childProcess = child.pid
        guard accept() else { return nil }
        let alarms = TimeLimits(run.request).alarms(interrupting: run.request, services.logger)
        defer {
            for alarm in alarms { alarm.cancel() }
            run.request.interruption.end()
        }
        for _ in 1..<Self.mostAttempts {
            if let outcome = await attempt(run, shared.nextNumber(), in: child) { return outcome }
            guard let next = await slot.child() else { break }
            child = next
        }
        if let outcome = interrupted(run) { return outcome }
        // It has not begun, and its message is still there: it goes back.
        if run.request.acksLate { return .cancelled }
        return lost(shared.nextNumber(), "no child process could begin the task", isPoisonous: false)
    }

    /// Runs the body in a child; nil if that has died before the body began, so that another one may try.
    private func attempt(_ run: TaskRun, _ number: UInt64, in child: ChildProcess) async -> TaskOutcome? {
        let watch = ChildInterrupter(child: child, run: number, grace: options.cancellationTimeout)
        slot.willRun(child)
        run.childProcess = child.pid
        child.begin(WorkerFrame.TaskOrder(run: number, run.request, run.body), taskID: run.request.id)
        run.request.interruption.onInterrupt { watch.interrupt($0) }
        defer {
            run.request.interruption.end()
            watch.end()
            child.endRun()
        }
        while true {
            switch await child.nextEvent() {
            case .question(let id, let question): child.answer(id, await answer(question, run))
            case .ended(let outcome):
                shared.ended(run.request.id)
                return interrupted(run) ?? outcome
            case .lost(let exit, let hadBegun):
                return interrupted(run) ?? died(run, number, exit, of: child, hadBegun: hadBegun)
            }
        }
    }

    private func answer(_ question: ChildFrame.Question, _ run: TaskRun) async -> WorkerFrame.Answer {
        let host = WorkerHost(run: run, services: services)
        do throws(CeleryError) {
            switch question {
            case .state(let state, let meta):
                await host.updateState(state, meta: meta)
                return .done
            case .send(let signature, let options):
                let before = run.sentTasks.count
                let id = try await host.send(signature, options: options)
                return .sent(id: id, children: Array(run.sentTasks.dropFirst(before)))
            case .unreadable(let reason):
                return .failed(code: CeleryError.Code.invalidSignature.description, message: reason)
            case .replace(let signature):
                try await host.replace(with: signature)
                return .done
            }
        } catch {
            return .failed(code: error.code.description, message: error.message)
        }
    }
}

// MARK: - Outcomes

extension ChildExecutor {
    /// The outcome of a run that was killed, or was to be, whatever the child has made of it.
    private func interrupted(_ run: TaskRun) -> TaskOutcome? {
        switch run.request.interruption.reason {
        case .hardLimit:
            let exception = ExceptionInfo.timeLimitExceeded(TimeLimits(run.request).hard ?? .zero)
            return .failure(TaskOutcome.Failure(exception, task: run.request.task.name, isTimeout: true))
        case .revoked(let signal): return .revoked(signal: signal)
        default: return nil
        }
    }

    private func died(
        _ run: TaskRun,
        _ number: UInt64,
        _ exit: ProcessExit,
        of child: ChildProcess,
        hadBegun: Bool
    ) -> TaskOutcome? {
        switch run.request.interruption.reason {
        case .shutdown, .connectionLost: return .cancelled
        default: break
        }
        let (deaths, isPoisonous) = shared.died(run.request)
        if !hadBegun, !isPoisonous { return nil }
        var reason = child.killReason.map { "\(exit), \($0)" } ?? "\(exit)"
        if isPoisonous, deaths > 1 { reason += ", \(deaths) times" }
        return lost(number, reason, isPoisonous: isPoisonous)
    }

    /// Billiard's words.
    private func lost(_ number: UInt64, _ reason: String, isPoisonous: Bool) -> TaskOutcome {
        .lost(TaskOutcome.WorkerLoss(reason: "\(reason) Job: \(number)", isPoisonous: isPoisonous))
    }
}

/// What the runs of a pool have in common.
final class ChildRuns: Sendable {
    private let lastNumber = Atomic<UInt64>(0)
    private let poison: Mutex<PoisonGuard>

    init(poisonLimit: Int) {
        poison = Mutex(PoisonGuard(limit: poisonLimit))
    }

    /// The number of the next run; Celery calls it the job.
    func nextNumber() -> UInt64 { lastNumber.wrappingAdd(1, ordering: .relaxed).newValue }

    /// Counts a death.
    func died(_ request: TaskRequest) -> (deaths: Int, isPoisonous: Bool) {
        let earlier = request.envelope.headers.custom["x-delivery-count"]?.intValue ?? 0
        // A task that is to be retried when its process dies has all its retries.
        let retries = request.task.retriesOnWorkerLost ? (request.task.maxRetries ?? .max - 1) + 1 : 0
        return poison.withLock { poison in
            poison.died(request.id, earlier: max(0, min(earlier, .max - 1)), atLeast: retries, now: .now)
        }
    }

    /// Forgets the deaths of a task that has ended.
    func ended(_ id: String) { poison.withLock { $0.ended(id) } }
}
