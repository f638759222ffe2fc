import AMQPValues
import CeleryProtocol
import FoundationEssentials
import Synchronization

/// Runs one request in a slot: body, acceptance, execution, outcome.
final class TaskRunner: Sendable {
    let services: TaskServices
    private let check: RevocationCheck
    private let ledger: DeliveryLedger
    private let counters: WorkerCounters
    private let executor: (any TaskExecutor)?

    /// Makes a runner.
    ///
    /// - Parameters:
    ///   - services: what running tasks use.
    ///   - check: what does not start any more.
    ///   - ledger: where deliveries are acknowledged at the start.
    ///   - counters: where starts are counted.
    ///   - executor: where outcomes of cancelled runs are published.
    init(
        services: TaskServices,
        check: RevocationCheck,
        ledger: DeliveryLedger,
        counters: WorkerCounters,
        executor: (any TaskExecutor)? = nil
    ) {
        self.services = services
        self.check = check
        self.ledger = ledger
        self.counters = counters
        self.executor = executor
    }

    /// Runs a request and returns when the slot is free again, with the time that the body has taken.
    func run(_ request: TaskRequest, by executor: some BodyExecutor) async -> Duration {
        guard let run = prepare(request) else { return .zero }
        guard let outcome = await executor.execute(run, accept: { self.accept(run) }) else { return .zero }
        // What a cancelled task awaits may give up at once, and the outcome has to be published all the same.
        guard Task.isCancelled || request.interruption.reason != nil else { return await finish(run, outcome) }
        return await Task(executorPreference: self.executor) { await self.finish(run, outcome) }.value
    }

    /// The run of a request; nil if it is not to run, and was settled.
    @inline(never)
    private func prepare(_ request: TaskRequest) -> TaskRun? {
        if check.discards(request) {
            request.neverBegan.store(true, ordering: .relaxed)
            return nil
        }
        do {
            let run = TaskRun(request: request, body: try request.envelope.decodedBody())
            guard !services.finisher.isForeignChord(run) else {
                request.neverBegan.store(true, ordering: .relaxed)
                services.finisher.refuseForeignChord(run)
                return nil
            }
            return run
        } catch {
            request.neverBegan.store(true, ordering: .relaxed)
            services.finisher.refuse(request, error)
            return nil
        }
    }

    /// Publishes the outcome of a run; answers how long its body has taken.
    @discardableResult
    func finish(_ run: TaskRun, _ outcome: TaskOutcome) async -> Duration {
        let runtime = run.runtime
        await services.finisher.finish(run, outcome, runtime: runtime)
        return runtime
    }

    /// Gives a request back that was taken out of the line and will not start here.
    func giveBack(_ request: TaskRequest) {
        request.neverBegan.store(true, ordering: .relaxed)
        counters.returned.add()
        ledger.settle(request.delivery, .reject(requeue: true))
    }

    /// Takes the request for good, with the early acknowledgement.
    ///
    /// False if the broker has taken it back meanwhile. Out of line for the sake of the frames of running tasks.
    @inline(never)
    private func accept(_ run: TaskRun) -> Bool {
        let request = run.request
        // It may have waited for its child.
        if request.interruption.reason == .shutdown {
            giveBack(request)
            return false
        }
        let isOurs = request.acksLate ? ledger.begin(request) : ledger.acknowledgeStart(request.delivery)
        guard isOurs else {
            request.neverBegan.store(true, ordering: .relaxed)
            ledger.forget(request.delivery)
            return false
        }
        counters.started.add()
        request.startedAt.store(WorkerClock.now(), ordering: .relaxed)
        run.begin()
        if request.task.tracksStarted, request.wantsResult { services.finisher.postStarted(run) }
        return true
    }
}

/// The time of day as the worker counts it: microseconds since 1970.
enum WorkerClock {
    /// The present.
    static func now() -> Int64 { microseconds(Date()) }

    /// A date in microseconds since 1970; what is beyond the range counts as its end.
    static func microseconds(_ date: Date) -> Int64 {
        let microseconds = (date.timeIntervalSince1970 * 1_000_000).rounded()
        guard microseconds > Double(Int64.min) else { return .min }
        return microseconds < Double(Int64.max) ? Int64(microseconds) : .max
    }
}
