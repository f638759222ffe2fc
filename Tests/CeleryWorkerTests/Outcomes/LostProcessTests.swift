import Celery
import CeleryProtocol
import CeleryTestKit
import Synchronization
import Testing

@testable import CeleryWorker

/// What a worker makes of the news that the process of a body has died, whoever brings it.
@Suite("Worker: lost processes")
struct LostProcessTests {
    /// Runs a task whose process is said to have died.
    ///
    /// The body itself waits until the test is over; a copy of its message that comes again succeeds.
    private func lose(
        _ options: TaskRegistrationOptions,
        poison: Bool = false,
        retries: Int = 0,
        protected: Set<String> = [],
        _ check: (OutcomeHarness, String) async throws -> Void
    ) async throws {
        let started = TestGate()
        let end = TestGate()
        try await OutcomeHarness.run { tasks in
            tasks.registerUntyped("proj.die", options: options) { context, _, _ in
                if context.deliveryInfo.redelivered { return "again" }
                started.open()
                await end.wait()
                throw Ignore()
            }
        } _: { harness in
            defer { end.open() }
            var send = TaskOptions(linkError: [Signature("clean", options: TaskOptions(queue: OutcomeHarness.other))])
            send.retries = retries
            let id = try harness.base.send("proj.die", options: send)
            await started.wait()
            harness.broker.protectedNames = protected
            let parts = harness.base.worker.parts
            let request = try #require(parts.pool.running.first { $0.id == id })
            let run = TaskRun(request: request, body: try request.envelope.decodedBody())
            let loss = TaskOutcome.WorkerLoss(reason: "signal 11 (SIGSEGV)", isPoisonous: poison)
            await parts.runner.services.finisher.finish(run, .lost(loss), runtime: .zero)
            try await check(harness, id)
        }
    }

    private func checkFailure(_ harness: OutcomeHarness, _ id: String) async throws {
        let result = try await harness.base.result(of: id)
        #expect(result.state == .failure)
        #expect(result.exception?.type == "WorkerLostError")
        #expect(result.exception?.module == "billiard.exceptions")
        #expect(result.exception?.arguments == ["Worker exited prematurely: signal 11 (SIGSEGV)."])
        #expect(result.traceback == nil)
        #expect(try harness.takeSent().map(\.headers.task) == ["clean"])
    }

    @Test("fails the task, early or late, and acknowledges as acks_on_failure says", arguments: [nil, true, false])
    func fails(_ acksOnFailure: Bool?) async throws {
        for acks in [AcknowledgementMode.early, .late] {
            try await lose(.init(acks: acks, acksOnFailure: acksOnFailure)) { harness, id in
                try await checkFailure(harness, id)
                try await harness.base.queueIsEmpty(OutcomeHarness.queue)
                let isRejected = acks == .late && acksOnFailure == false
                #expect(harness.broker.messages(in: OutcomeHarness.dead).count == (isRejected ? 1 : 0))
            }
        }
    }

    @Test("goes back to its queue with reject_on_worker_lost, without a result, only if it is late")
    func rejects() async throws {
        try await lose(.init(acks: .late, rejectOnWorkerLost: true)) { harness, id in
            let result = try await harness.base.result(of: id)
            #expect(try harness.states(of: id) == [.success])
            #expect(result.result == "again")
            #expect(try harness.takeSent().isEmpty)
        }
        try await lose(.init(acks: .early, rejectOnWorkerLost: true)) { try await checkFailure($0, $1) }
    }

    @Test(
        "is sent again with retry_on_worker_lost, with the state RETRY",
        arguments: [AcknowledgementMode.early, .late]
    )
    func retries(_ acks: AcknowledgementMode) async throws {
        let options = TaskRegistrationOptions(
            acks: acks,
            rejectOnWorkerLost: true,
            retryOnWorkerLost: true,
            maxRetries: 2,
            retryDelay: .seconds(500)
        )
        try await lose(options, retries: 1) { harness, id in
            try await eventually("the RETRY result") { try !harness.states(of: id).isEmpty }
            let result = try #require(try harness.base.results(of: id).first)
            #expect(result.state == .retry)
            #expect(result.exception?.type == "WorkerLostError")
            #expect(result.traceback?.contains("WorkerLostError: Worker exited prematurely") == true)
            #expect(result.children.isEmpty)
            #expect(harness.broker.messages(in: OutcomeHarness.dead).isEmpty)
            #expect(try harness.takeSent().isEmpty)
            #expect(harness.base.worker.statistics.retried == 1)
            let line = "Task proj.die[\(id)] retry: Retry in 500s: WorkerLostError("
            #expect(harness.base.logs.messages.contains { $0.hasPrefix(line) })
        }
    }

    @Test("fails when its retries are used up, though it is late and to be rejected")
    func exhausted() async throws {
        let options = TaskRegistrationOptions(
            acks: .late,
            rejectOnWorkerLost: true,
            retryOnWorkerLost: true,
            maxRetries: 1
        )
        try await lose(options, retries: 1) { harness, id in
            try await checkFailure(harness, id)
            try await harness.base.queueIsEmpty(OutcomeHarness.queue)
            #expect(harness.broker.messages(in: OutcomeHarness.dead).isEmpty)
        }
    }

    @Test("a poisonous task is failed and rejected for good, whatever its options say")
    func poison() async throws {
        let options = TaskRegistrationOptions(acks: .late, rejectOnWorkerLost: true, retryOnWorkerLost: true)
        try await lose(options, poison: true) { harness, id in
            try await checkFailure(harness, id)
            try await eventually("the rejection") { harness.broker.messages(in: OutcomeHarness.dead).count == 1 }
        }
    }
}
