import ArgumentParser
import Celery
import CeleryTestKit
import CeleryWorker
import Logging
import Testing

@testable import CeleryCommandLine

@Suite("Exit codes of a worker")
struct WorkerExitTests {
    /// The code for what a worker on this broker ends with.
    private func status(_ broker: InMemoryBroker, _ celery: CeleryConfiguration) async throws -> CommandStatus {
        let worker = try Worker(
            broker: broker,
            celery: celery,
            registry: TaskRegistry(),
            logger: LogRecorder().logger()
        )
        // Without the traps for signals, which other tests of this process send.
        let error = await #expect(throws: CeleryError.self) { try await worker.run() }
        return CommandStatus(endOfWorker: try #require(error))
    }

    @Test func aWorkerThatConsumesNothingEndsWithACodeOfItsOwn() async throws {
        let broker = InMemoryBroker()
        var celery = CeleryConfiguration()
        celery.workerWatchdogTimeout = .milliseconds(300)
        broker.losesNewConsumers = true
        #expect(try await status(broker, celery) == .consumingStopped)
        #expect(CommandStatus.consumingStopped.code == 75)
    }

    @Test func otherErrorsEndItWithOne() async throws {
        let broker = InMemoryBroker()
        broker.refusesConnections = true
        var celery = CeleryConfiguration()
        celery.brokerConnectionMaxRetries = 0
        #expect(try await status(broker, celery) == .failure)
    }

    @Test func theHelpTellsOfTheCodes() {
        #expect(WorkerCommand<SwiftOnly>.configuration.discussion.contains("75"))
    }

    private struct SwiftOnly: CeleryApplication {
        static func register(_ tasks: inout TaskRegistry) {}
    }
}
