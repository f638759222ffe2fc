import CeleryProtocol
import FoundationEssentials
import Logging
import Synchronization

/// Runs one request in a slot: body, acceptance, handler, outcome.
final class TaskRunner: Sendable {
    private let services: TaskServices
    private let ledger: DeliveryLedger
    private let counters: WorkerCounters
    private let executor: (any TaskExecutor)?
    private let coldShutdown: Gate<Void>

    /// Makes a runner.
    ///
    /// - Parameters:
    ///   - services: what running tasks use.
    ///   - ledger: where deliveries are acknowledged at the start.
    ///   - counters: where starts are counted.
    ///   - executor: where bodies run that a time limit may cancel.
    ///   - coldShutdown: opens when tasks are being cancelled.
    init(
        services: TaskServices,
        ledger: DeliveryLedger,
        counters: WorkerCounters,
        executor: (any TaskExecutor)?,
        coldShutdown: Gate<Void>
    ) {
        self.services = services
        self.ledger = ledger
        self.counters = counters
        self.executor = executor
        self.coldShutdown = coldShutdown
    }

    /// Runs a request and returns when the slot is free again, with the time that the body has taken.
    func run(_ request: TaskRequest) async -> Duration {
        if let expires = request.expires, WorkerClock.now() > expires {
            request.neverBegan.store(true, ordering: .relaxed)
            services.finisher.expire(request)
            return .zero
        }
        let body: TaskBody
        do {
            body = try request.envelope.decodedBody()
        } catch {
            request.neverBegan.store(true, ordering: .relaxed)
            services.finisher.refuse(request, error)
            return .zero
        }
        guard accept(request) else { return .zero }
        let run = TaskRun(request: request, body: body)
        if request.task.tracksStarted, request.wantsResult { services.finisher.postStarted(run) }
        let start = ContinuousClock.now
        let outcome = await outcome(of: run)
        let runtime = ContinuousClock.now - start
        await services.finisher.finish(run, outcome, runtime: runtime)
        return runtime
    }

    /// Takes the request for good, with the early acknowledgement.
    ///
    /// False if the broker has taken it back meanwhile.
    private func accept(_ request: TaskRequest) -> Bool {
        let isOurs = request.acksLate ? ledger.begin(request) : ledger.acknowledgeStart(request.delivery)
        if isOurs {
            counters.started.add()
        } else {
            request.neverBegan.store(true, ordering: .relaxed)
            ledger.forget(request.delivery)
        }
        return isOurs
    }

    private func outcome(of run: TaskRun) async -> TaskOutcome {
        do {
            let limits = TimeLimits(run.request)
            let loss = run.request.connectionLoss
            guard limits.isEmpty, loss == nil else {
                let limited = LimitedRun(limits: limits, executor: executor, cancellation: loss)
                return try await limited.run(task: run.request.task.name) { try await self.call(run) }
            }
            return .success(try await call(run))
        } catch let retry as Retry {
            return .retry(retry)
        } catch is Ignore {
            return .ignore
        } catch let reject as Reject {
            return .reject(reject)
        } catch is CancellationError where coldShutdown.isOpen {
            return .cancelled
        } catch  where run.request.connectionLoss?.isOpen == true {
            // Whatever the body makes of its cancellation: its message comes back from the broker.
            return .cancelled
        } catch {
            return .failure(TaskOutcome.Failure(error, task: run.request.task.name))
        }
    }

    private func call(_ run: TaskRun) async throws -> JSONValue {
        let context = TaskContext(run: run, services: services)
        return try await withLogger(services.logger(for: run.request.envelope)) { _ in
            try await run.request.task.body(context, run.body.args, run.body.kwargs)
        }
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
