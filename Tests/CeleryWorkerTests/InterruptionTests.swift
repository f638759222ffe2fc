import Celery
import CeleryProtocol
import CeleryTestKit
import Testing

@testable import CeleryWorker

@Suite("Interruptions")
struct InterruptionTests {
    private final class Witness: Sendable {}

    @Test("a limit that is called off keeps nothing alive", arguments: [Duration.milliseconds(500), .seconds(3_600)])
    func calledOff(_ limit: Duration) {
        weak var witness: Witness?
        let alarm: Alarm.Pending
        do {
            let kept = Witness()
            witness = kept
            alarm = Alarm.after(limit) { _ = kept }
        }
        #expect(witness != nil)
        alarm.cancel()
        #expect(witness == nil)
    }

    @Test("an alarm of some seconds goes off")
    func goesOff() async {
        let gate = Gate<Void>()
        let start = ContinuousClock.now
        Alarm.after(.milliseconds(2_100)) { gate.open() }
        await gate.wait()
        #expect(start.duration(to: .now) >= .milliseconds(2_000))
    }

    private struct OwnError: Error {}

    @Test("a late task whose body has an error of its own for its cancellation goes back at a cold shutdown")
    func ownError() async throws {
        let broker = InMemoryBroker()
        let harness = try WorkerHarness(WorkerConfiguration(concurrency: 2), celery: .init(), broker: broker) { tasks in
            tasks.register("proj.late", options: .init(acks: .late)) { (context: TaskContext) in
                do { try await Task.sleep(for: .seconds(3_600)) } catch { throw OwnError() }
            }
            tasks.register("proj.early") { (context: TaskContext) in
                do { try await Task.sleep(for: .seconds(3_600)) } catch { throw CeleryError(.closed, "no connection") }
            }
        }
        let running = Task { try await harness.worker.run() }
        await harness.worker.waitUntilReady()
        let late = try harness.send("proj.late")
        let early = try harness.send("proj.early")
        try await eventually("both run") { harness.worker.statistics.started == 2 }
        harness.worker.triggerShutdown(.cold)
        try await running.value
        #expect(broker.messages(in: "celery").count == 1)
        #expect(try harness.results(of: late).isEmpty)
        let states = try harness.results(of: early).map(\.state)
        #expect(states == [.retry])
    }

    @Test("a body whose cancellation handler blocks holds up no other limit, and is abandoned")
    func blockingHandler() async throws {
        // Two: who resumes a task waits for its cancellation handlers.
        let gate = TestGate()
        let handlers = TestGate()
        let configuration = WorkerConfiguration(
            concurrency: 2,
            abandonmentTimeout: .milliseconds(20),
            restartTimeout: nil
        )
        try await WorkerHarness.run(configuration) { tasks in
            tasks.register("proj.blocked", options: .init(timeLimit: .milliseconds(20))) { (context: TaskContext) in
                await withTaskCancellationHandler {
                    await gate.wait()
                } onCancel: {
                    handlers.block()
                }
            }
        } _: { harness in
            for _ in 0..<3 {
                let result = try await harness.result(of: harness.send("proj.blocked"))
                #expect(result.exception?.type == "TimeLimitExceeded")
            }
            handlers.open()
            gate.open()
            try await eventually("nothing runs") { harness.worker.parts.pool.runningCount == 0 }
        }
    }
}
