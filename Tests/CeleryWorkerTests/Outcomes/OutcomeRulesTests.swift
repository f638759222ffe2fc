import AMQPValues
import Celery
import CeleryProtocol
import FoundationEssentials
import Testing

@testable import CeleryWorker

@Suite("What a thrown error means")
struct OutcomeRulesTests {
    private struct Trouble: Error {}

    private let now = Date(timeIntervalSince1970: 1_800_000_000)

    private func outcome(
        of error: any Error,
        _ options: TaskRegistrationOptions = .init(),
        retries: Int = 0,
        headers: FieldTable = [:],
        interruption: Interruption.Reason? = nil,
        runtime: Duration = .seconds(2)
    ) throws -> TaskOutcome {
        let registered = RegisteredTask(name: "proj.t", options: options) { _, _, _ in .null }
        var taskHeaders = TaskHeaders(task: "proj.t", id: "id-1")
        taskHeaders.retries = retries
        taskHeaders.custom = headers
        let (properties, bytes) = TaskMessage(headers: taskHeaders, body: TaskBody(args: [1])).encoded()
        let invocation = Invocation(
            task: try WorkerTask(registered, CeleryConfiguration()),
            envelope: try ReceivedTask.recognise(properties, body: bytes),
            body: TaskBody(args: [1], kwargs: ["k": "v"]),
            info: DeliveryInfo(exchange: "", routingKey: "celery", priority: nil, redelivered: false),
            interruption: Interruption()
        )
        if let interruption { invocation.interruption.interrupt(interruption) }
        return OutcomeRules(invocation, runtime: runtime, now: now).outcome(of: error)
    }

    private func failure(_ outcome: TaskOutcome) throws -> TaskOutcome.Failure {
        guard case .failure(let failure) = outcome else { throw Unexpected(outcome: outcome) }
        return failure
    }

    private func retrial(_ outcome: TaskOutcome) throws -> TaskOutcome.Retrial {
        guard case .retry(let retrial) = outcome else { throw Unexpected(outcome: outcome) }
        return retrial
    }

    private struct Unexpected: Error {
        let outcome: TaskOutcome
    }

    @Test("an error fails the task; one that it expects is marked")
    func failures() throws {
        let value = TaskError(type: "ValueError", "x")
        #expect(try !failure(outcome(of: value)).isExpected)
        let expecting = TaskRegistrationOptions(expectedErrors: [.named("ValueError"), .type(Trouble.self)])
        let expected = try failure(outcome(of: value, expecting))
        #expect(expected.isExpected)
        #expect(expected.traceback?.contains("ValueError: x") == true)
        #expect(try failure(outcome(of: Trouble(), expecting)).isExpected)
        #expect(try !failure(outcome(of: TaskError(type: "KeyError", "x"), expecting)).isExpected)
    }

    @Test("Ignore, Reject and Retry pass through automatic retries, and so does a result that cannot be written")
    func passThrough() throws {
        let options = TaskRegistrationOptions(autoRetry: AutoRetry(on: [.any], backoff: 1))
        guard case .ignore = try outcome(of: Ignore(), options) else {
            Issue.record("no ignore")
            return
        }
        guard case .reject(let reject) = try outcome(of: Reject("no", requeue: true), options) else {
            Issue.record("no reject")
            return
        }
        #expect(reject.requeue)
        let explicit = try retrial(outcome(of: Retry(after: .seconds(9)), options))
        #expect(explicit.after == .seconds(9))
        #expect(explicit.cause == nil)
        let unencodable = ResultEncoding.Failure(error: TaskError(type: "EncodeError", module: "kombu.exceptions", "x"))
        #expect(try failure(outcome(of: unencodable, options)).exception.type == "EncodeError")
    }

    @Test("an automatic retry has the error as its cause, and the task's delay where the rules name none")
    func automatic() throws {
        let rules = AutoRetry(on: [.type(Trouble.self)], except: [.named("KeyError")])
        let options = TaskRegistrationOptions(autoRetry: rules)
        let retry = try retrial(outcome(of: Trouble(), options))
        #expect(retry.after == nil)
        #expect(retry.cause?.exception.type.hasSuffix("Trouble") == true)
        #expect(try failure(outcome(of: TaskError(type: "KeyError", "x"), options)).exception.type == "KeyError")
        let backoff = AutoRetry(on: [.any], except: [.type(Trouble.self)], backoff: 2, jitter: false)
        let doubled = try retrial(
            outcome(of: TaskError(type: "E", "x"), .init(maxRetries: nil, autoRetry: backoff), retries: 5)
        )
        #expect(doubled.after == .seconds(64))
        #expect(try failure(outcome(of: Trouble(), .init(autoRetry: backoff))).exception.type.hasSuffix("Trouble"))
    }

    @Test("used-up retries end with the cause, or with Celery's MaxRetriesExceededError")
    func exhausted() throws {
        let rules = TaskRegistrationOptions(maxRetries: 2, autoRetry: AutoRetry(on: [.type(Trouble.self)]))
        _ = try retrial(outcome(of: Trouble(), rules, retries: 1))
        #expect(try failure(outcome(of: Trouble(), rules, retries: 2)).exception.type.hasSuffix("Trouble"))
        let more = TaskRegistrationOptions(maxRetries: 2, autoRetry: AutoRetry(on: [.any], max: 5))
        _ = try retrial(outcome(of: Trouble(), more, retries: 4))
        #expect(try failure(outcome(of: Trouble(), more, retries: 5)).exception.type.hasSuffix("Trouble"))
        let cause = try failure(outcome(of: Retry(cause: TaskError(type: "ValueError", "x")), retries: 3))
        #expect(cause.exception.type == "ValueError")
        let bare = try failure(outcome(of: Retry(), retries: 3)).exception
        #expect(bare.type == "MaxRetriesExceededError")
        #expect(bare.module == "celery.exceptions")
        #expect(bare.arguments == ["Can't retry proj.t[id-1] args:(1,) kwargs:{'k': 'v'}"])
        _ = try retrial(outcome(of: Retry(max: 4), retries: 3))
        _ = try retrial(outcome(of: Retry(), .init(maxRetries: nil), retries: 1_000))
    }

    @Test("a budget of time counts from the first run, wherever that was")
    func budget() throws {
        let rules = AutoRetry(on: [.any], countdown: .seconds(10), budget: .seconds(60))
        let options = TaskRegistrationOptions(maxRetries: nil, autoRetry: rules)
        _ = try retrial(outcome(of: Trouble(), options, runtime: .seconds(50)))
        _ = try failure(outcome(of: Trouble(), options, runtime: .seconds(51)))
        func first(_ ago: Double) -> FieldTable {
            ["swcelery-first-run": .string(WireDate(now.addingTimeInterval(-ago)).text)]
        }
        _ = try retrial(outcome(of: Trouble(), options, retries: 3, headers: first(49)))
        _ = try failure(outcome(of: Trouble(), options, retries: 3, headers: first(51)))
        // What nobody can read, or what lies in the future, does not lengthen it.
        let strange: FieldTable = ["swcelery-first-run": "yesterday"]
        _ = try failure(outcome(of: Trouble(), options, headers: strange, runtime: .seconds(51)))
        _ = try failure(outcome(of: Trouble(), options, headers: first(-1_000), runtime: .seconds(51)))
    }

    @Test("a body that its soft limit has cancelled throws SoftTimeLimitExceeded, which can be retried")
    func softLimit() throws {
        let plain = try failure(outcome(of: CancellationError(), interruption: .softLimit))
        #expect(plain.exception.type == "SoftTimeLimitExceeded")
        #expect(plain.exception.module == "billiard.exceptions")
        #expect(plain.exception.arguments == [])
        #expect(plain.traceback?.hasSuffix("billiard.exceptions.SoftTimeLimitExceeded\n") == true)
        let rules = TaskRegistrationOptions(autoRetry: AutoRetry(on: [.named("SoftTimeLimitExceeded")]))
        let retry = try retrial(outcome(of: CancellationError(), rules, interruption: .softLimit))
        #expect(retry.cause?.exception.type == "SoftTimeLimitExceeded")
        // Without a limit it is an error as any other.
        #expect(try failure(outcome(of: CancellationError(), rules)).exception.type == "CancellationError")
        let other = try failure(outcome(of: TaskError(type: "ValueError", "x"), interruption: .softLimit))
        #expect(other.exception.type == "ValueError")
    }

    @Test("a shutdown counts for a body that lets its cancellation go, a lost connection for any")
    func cancelled() throws {
        let options = TaskRegistrationOptions(autoRetry: AutoRetry(on: [.any]))
        guard case .cancelled = try outcome(of: CancellationError(), options, interruption: .shutdown) else {
            Issue.record("not cancelled by the shutdown")
            return
        }
        guard case .cancelled = try outcome(of: Trouble(), options, interruption: .connectionLost) else {
            Issue.record("not cancelled by the loss")
            return
        }
        _ = try retrial(outcome(of: Trouble(), options, interruption: .shutdown))
    }
}
