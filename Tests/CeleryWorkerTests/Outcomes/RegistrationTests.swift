import Celery
import CeleryProtocol
import CeleryTestKit
import Logging
import Testing

@testable import CeleryWorker

@Suite("Settings of tasks")
struct RegistrationTests {
    private func error(
        _ options: TaskRegistrationOptions,
        _ configuration: CeleryConfiguration = CeleryConfiguration()
    ) -> CeleryError? {
        var registry = TaskRegistry()
        registry.register("proj.t", options: options) { (x: Int) in x }
        return #expect(throws: CeleryError.self) {
            try Worker(
                broker: InMemoryBroker(),
                celery: configuration,
                registry: registry,
                logger: LogRecorder().logger()
            )
        }
    }

    @Test("what cannot be used is refused when the worker is made, with the task's name")
    func refused() {
        var short = CeleryConfiguration()
        short.taskTimeLimit = .seconds(5)
        let errors = [
            error(.init(timeLimit: .seconds(5), softTimeLimit: .seconds(6))),
            error(.init(softTimeLimit: .seconds(6)), short),
            error(.init(serializer: "pickle")),
            error(.init(maxRetries: -1)),
            error(.init(retryDelay: .seconds(-1))),
            error(.init(autoRetry: AutoRetry(on: [.any], backoff: .infinity))),
            error(.init(autoRetry: AutoRetry(on: [.any], backoffMax: .seconds(-1)))),
            error(.init(autoRetry: AutoRetry(on: [.any], countdown: .seconds(-1)))),
            error(.init(autoRetry: AutoRetry(on: [.any], max: -1))),
            error(.init(autoRetry: AutoRetry(on: [.any], budget: .seconds(-1)))),
        ]
        for error in errors {
            #expect(error?.code == .invalidConfiguration)
            #expect(error?.message.contains("proj.t") == true)
        }
        #expect(errors[2]?.message.contains("pickle") == true)
    }

    @Test("what Celery takes is taken")
    func accepted() throws {
        var registry = TaskRegistry()
        registry.register("a", options: .init(timeLimit: .seconds(5), softTimeLimit: .seconds(5))) { (x: Int) in x }
        registry.register("b", options: .init(maxRetries: nil, serializer: "json")) { (x: Int) in x }
        registry.register("c", options: .init(maxRetries: 0, retryDelay: .zero)) { (x: Int) in x }
        let table = try registry.table(CeleryConfiguration())
        #expect(table["a"]?.softLimit == .seconds(5))
        #expect(table["b"]?.maxRetries == nil)
        #expect(table["c"]?.retryDelay == .zero)
    }

    @Test("an option of a task wins over the settings, and the split ones over what they split")
    func precedence() throws {
        var celery = CeleryConfiguration()
        celery.taskAcksOnFailureOrTimeout = false
        celery.taskAcksOnTimeout = true
        celery.taskStoreErrorsEvenIfIgnored = true
        celery.taskRejectOnWorkerLost = true
        celery.taskRetryOnWorkerLost = true
        celery.taskTrackStarted = true
        celery.taskIgnoreResult = true
        celery.taskAcksLate = true
        var registry = TaskRegistry()
        registry.register("settings") { (x: Int) in x }
        registry.register(
            "own",
            options: .init(
                acks: .early,
                acksOnFailure: true,
                acksOnTimeout: false,
                rejectOnWorkerLost: false,
                retryOnWorkerLost: false,
                ignoreResult: false,
                storeErrorsEvenIfIgnored: false,
                trackStarted: false
            )
        ) { (x: Int) in x }
        let table = try registry.table(celery)
        let settings = try #require(table["settings"])
        let own = try #require(table["own"])
        #expect(!settings.acksOnFailure && settings.acksOnTimeout && settings.storesIgnoredErrors)
        #expect(settings.rejectsOnWorkerLost && settings.retriesOnWorkerLost)
        #expect(settings.tracksStarted && settings.ignoresResult && settings.acksLate)
        #expect(own.acksOnFailure && !own.acksOnTimeout && !own.storesIgnoredErrors)
        #expect(!own.rejectsOnWorkerLost && !own.retriesOnWorkerLost)
        #expect(!own.tracksStarted && !own.ignoresResult && !own.acksLate)
    }
}
