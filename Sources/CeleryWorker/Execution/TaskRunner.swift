import Celery
import CeleryProtocol
import FoundationEssentials
import Logging

/// Runs one request in a slot: body, acceptance, handler, outcome.
struct TaskRunner: Sendable {
    let services: TaskServices
    let ledger: DeliveryLedger
    let counters: WorkerCounters
    let configuration: CeleryConfiguration
    let executor: (any TaskExecutor)?
    let shutdown: Gate<Void>

    /// Runs a request and returns when the slot is free again.
    func run(_ request: TaskRequest) async {
        if let expires = request.expires, WorkerClock.now() > expires { return services.finisher.expire(request) }
        let body: TaskBody
        do {
            body = try request.envelope.decodedBody()
        } catch {
            return services.finisher.refuse(request, error)
        }
        guard accept(request) else { return }
        let run = TaskRun(request: request, body: body)
        if request.wantsResult, request.task.options.trackStarted ?? configuration.taskTrackStarted {
            services.finisher.postStarted(run)
        }
        let start = ContinuousClock.now
        let outcome = await outcome(of: run)
        await services.finisher.finish(run, outcome, runtime: ContinuousClock.now - start)
    }

    /// Takes the request for good, with the early acknowledgement. False if the broker has taken it back meanwhile.
    private func accept(_ request: TaskRequest) -> Bool {
        let isOurs = request.acksLate ? ledger.isLive(request.delivery) : ledger.acknowledgeStart(request.delivery)
        if isOurs {
            counters.started.add()
        } else {
            ledger.forget(request.delivery)
        }
        return isOurs
    }

    private func outcome(of run: TaskRun) async -> TaskOutcome {
        do {
            let limits = TimeLimits(run.request.headers, run.request.task.options, configuration)
            guard limits.isEmpty else {
                return try await LimitedRun(limits: limits, executor: executor).run(task: run.request.headers.task) {
                    try await call(run)
                }
            }
            return .success(try await call(run))
        } catch let retry as Retry {
            return .retry(retry)
        } catch is Ignore {
            return .ignore
        } catch let reject as Reject {
            return .reject(reject)
        } catch is CancellationError where shutdown.isOpen {
            return .cancelled
        } catch {
            return .failure(TaskOutcome.Failure(error, task: run.request.headers.task))
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
