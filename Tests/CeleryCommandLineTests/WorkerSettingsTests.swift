import ArgumentParser
import Celery
import CeleryWorker
import Logging
import Testing

@testable import CeleryCommandLine

@Suite struct WorkerSettingsTests {
    private let cpus = CPUBudget(processors: 6, quota: 2)

    private func settings(_ arguments: [String] = [], _ variables: [String: String] = [:]) throws -> WorkerSettings {
        try WorkerSettings(options: WorkerOptions.parse(arguments), variables: CommandEnvironment(variables))
    }

    @Test func theDefaultsAreCelerys() throws {
        let settings = try settings()
        #expect(settings.node.name == "celery")
        #expect(settings.logLevel == .warning)
        #expect(settings.pool == .tasks)
        let configuration = settings.configuration(CeleryConfiguration(), cpus: cpus)
        #expect(configuration.queues == [])
        #expect(configuration.concurrency == 6)
        #expect(configuration.prefetchMultiplier == nil)
        #expect(!configuration.purge)
    }

    @Test func variablesStandInForOptions() throws {
        let settings = try settings(
            [],
            [
                "CELERY_WORKER_QUEUES": "a,b", "CELERY_WORKER_EXCLUDE_QUEUES": "b", "CELERY_WORKER_CONCURRENCY": "auto",
                "CELERY_WORKER_HOSTNAME": "w@x", "CELERY_WORKER_LOGLEVEL": "debug", "CELERY_WORKER_POOL": "solo",
                "CELERY_WORKER_PREFETCH_MULTIPLIER": "0",
            ]
        )
        #expect(settings.logLevel == .debug)
        let configuration = settings.configuration(CeleryConfiguration(), cpus: cpus)
        #expect(configuration.queues == ["a", "b"])
        #expect(configuration.excludedQueues == ["b"])
        #expect(configuration.concurrency == 2)
        #expect(configuration.hostname == "w@x")
        #expect(configuration.pool == .solo)
        #expect(configuration.prefetchMultiplier == 0)
    }

    @Test func optionsGoBeforeVariables() throws {
        let settings = try settings(["-Q", "mine"], ["CELERY_WORKER_QUEUES": "theirs"])
        #expect(settings.queues == ["mine"])
    }

    @Test func theApplicationsConcurrencyGoesBeforeTheNumberOfProcessors() throws {
        var celery = CeleryConfiguration()
        celery.workerConcurrency = 3
        #expect(try settings().configuration(celery, cpus: cpus).concurrency == 3)
        #expect(try settings(["-c", "5"]).configuration(celery, cpus: cpus).concurrency == 5)
    }

    @Test func anExpandedNameIsNotExpandedAgain() throws {
        let settings = try settings(["-n", "100%%@x"])
        #expect(settings.node.description == "100%@x")
        #expect(settings.configuration(CeleryConfiguration(), cpus: cpus).hostname == "100%%@x")
    }

    @Test func aBadVariableIsAnErrorOfUsage() throws {
        let failure = try #require(throws: CommandFailure.self) { try settings([], ["CELERY_WORKER_POOL": "custom"]) }
        #expect(failure.status == .usage)
        #expect(failure.message.contains("CELERY_WORKER_POOL"))
    }

    @Test func colorsNeedATerminalAndNobodyWhoForbidsThem() throws {
        func isColored(_ arguments: [String], _ variables: [String: String], isTerminal: Bool) throws -> Bool {
            try GlobalOptions.parse(arguments)
                .loggingOptions(level: .info, variables: CommandEnvironment(variables), isTerminal: isTerminal)
                .isColored
        }
        #expect(try isColored([], [:], isTerminal: true))
        #expect(try !isColored([], [:], isTerminal: false))
        #expect(try !isColored(["-C"], [:], isTerminal: true))
        #expect(try !isColored([], ["NO_COLOR": "1"], isTerminal: true))
    }

    @Test func theBannerDescribesTheWorker() throws {
        let settings = try settings(["-P", "solo", "-c", "8", "-Q", "mine", "-n", "w@x"])
        let celery = CeleryConfiguration(broker: "amqp://me:sesame@box//")
        let worker = try Worker(
            configuration: settings.configuration(celery, cpus: cpus),
            celery: celery,
            registry: TaskRegistry(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        let text = Banner(
            worker: worker,
            application: BareApplication.self,
            transport: try BrokerSettings.redacted(celery),
            settings: settings,
            tasks: []
        ).text
        #expect(text.hasPrefix("\nw@x swcelery "))
        #expect(text.contains(".> app:         BareApplication\n"))
        #expect(text.contains(".> transport:   amqp://me:**@box:5672//\n"))
        #expect(text.contains(".> concurrency: 1 (solo)\n"))
        #expect(text.contains(".> mine             exchange=mine(direct) key=mine\n"))
        #expect(!text.contains("sesame"))
    }

    @Test func theBannerListsTasksAsCelerysDoes() {
        let names = ["celery.accumulate", "demo.add"]
        #expect(Banner.shown(names, at: .warning) == nil)
        #expect(Banner.shown(names, at: .info) == ["demo.add"])
        #expect(Banner.shown(names, at: .debug) == names)
    }
}

/// An application with nothing but what has to be there.
private struct BareApplication: CeleryApplication {
    static func register(_ tasks: inout TaskRegistry) throws {}
}
