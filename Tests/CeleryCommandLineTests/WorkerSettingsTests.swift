import ArgumentParser
import Celery
import CeleryWorker
import Logging
import Testing

@testable import CeleryCommandLine

@Suite struct WorkerSettingsTests {
    private let cpus = CPUBudget(processors: 6, quota: 2)

    private func settings(_ arguments: [String] = [], _ variables: [String: String] = [:]) throws -> WorkerSettings {
        try WorkerSettings(
            options: WorkerOptions.parse(arguments),
            pool: PoolOptions.parse([]),
            variables: CommandEnvironment(variables)
        )
    }

    @Test func theDefaultsAreCelerys() throws {
        let settings = try settings()
        #expect(settings.node.name == "celery")
        #expect(settings.logLevel == .warning)
        #expect(settings.pool == .processes)
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

    private func applied(
        _ arguments: [String] = [],
        _ variables: [String: String] = [:]
    ) throws -> CeleryConfiguration {
        let settings = try PoolSettings(
            options: PoolOptions.parse(arguments),
            node: NodeName.option("w@box.example.org"),
            variables: CommandEnvironment(variables)
        )
        return settings.apply(to: CeleryConfiguration())
    }

    @Test func poolOptionsGoBeforeTheConfiguration() throws {
        let celery = try applied([
            "--time-limit", "60", "--soft-time-limit", "50", "--max-tasks-per-child", "7", "--max-memory-per-child",
            "8",
            "-S", "/var/%n-%h.db", "--shutdown-grace", "20", "-E",
        ])
        #expect(celery.taskTimeLimit == .seconds(60))
        #expect(celery.taskSoftTimeLimit == .seconds(50))
        #expect(celery.workerMaxTasksPerChild == 7)
        #expect(celery.workerMaxMemoryPerChild == 8)
        #expect(celery.workerStateDB == "/var/w-box.example.org.db")
        #expect(celery.workerShutdownGracePeriod == .seconds(20))
        #expect(celery.workerSendTaskEvents)
        #expect(try applied().changedSettings.isEmpty)
    }

    @Test func poolVariablesStandInForOptions() throws {
        let variables = [
            "CELERY_WORKER_TIME_LIMIT": "60", "CELERY_WORKER_SOFT_TIME_LIMIT": "50", "CELERY_WORKER_STATEDB": "s",
            "CELERY_WORKER_MAX_TASKS_PER_CHILD": "7", "CELERY_WORKER_MAX_MEMORY_PER_CHILD": "8",
            "CELERY_WORKER_SHUTDOWN_GRACE": "20", "CELERY_WORKER_TASK_EVENTS": "true",
        ]
        #expect(try applied([], variables).changedSettings.count == variables.count)
        for (name, value) in [
            ("TASK_EVENTS", "maybe"), ("OPTIMIZATION", "fast"), ("POOL_START_METHOD", "fork"), ("AUTOSCALE", "x"),
            ("TIME_LIMIT", "soon"), ("STATEDB", "%z"),
        ] {
            let failure = try #require(throws: CommandFailure.self) {
                try applied([], ["CELERY_WORKER_\(name)": value])
            }
            #expect(failure.status == .usage)
        }
    }

    @Test func daemonSettingsComeFromOptionsAndVariables() throws {
        func daemon(_ arguments: [String], _ variables: [String: String] = [:]) throws -> DaemonSettings {
            try DaemonSettings(
                options: DaemonOptions.parse(arguments),
                node: NodeName.option("w@box"),
                variables: CommandEnvironment(variables)
            )
        }
        let options = try daemon([
            "-D", "-f", "%n%I.log", "--pidfile", "%p.pid", "--uid", "7", "--gid", "8", "--umask", "077",
        ])
        #expect(options.logFile == "w.log")
        #expect(options.pidfile == "w@box.pid")
        #expect(options.detach)
        let variables = try daemon(
            [],
            [
                "CELERY_WORKER_DETACH": "1", "CELERY_WORKER_LOGFILE": "%n%I.log", "CELERY_WORKER_PIDFILE": "%p.pid",
                "CELERY_WORKER_UID": "7", "CELERY_WORKER_GID": "8", "CELERY_WORKER_UMASK": "63",
            ]
        )
        #expect(variables == options)
        #expect(throws: CommandFailure.self) { try daemon(["-f", "%x.log"]) }
    }

    @Test func settingsHaveTheirOrder() throws {
        func loaded(_ arguments: [String], _ variables: [String: String], _ settings: [String]) throws
            -> CeleryConfiguration
        {
            var base = CeleryConfiguration(broker: "amqp://code")
            base.taskAcksLate = true
            base.workerConcurrency = 9
            return try CeleryConfiguration.load(
                base: base,
                global: GlobalOptions.parse(arguments),
                variables: CommandEnvironment(variables),
                arguments: settings.map { try SettingArgument(parsing: $0) }
            )
        }
        let celery = try loaded(
            ["-b", "amqp://option"],
            [
                "CELERY_BROKER_URL": "amqp://variable", "CELERY_TASK_TRACK_STARTED": "1",
                "CELERY_WORKER_CONCURRENCY": "auto",
            ],
            ["task.track_started=0", ".prefetch_multiplier=1"]
        )
        #expect(celery.brokerURL == "amqp://option")
        #expect(celery.taskAcksLate)
        #expect(!celery.taskTrackStarted)
        #expect(celery.workerPrefetchMultiplier == 1)
        #expect(celery.workerConcurrency == 9)
        #expect(try loaded([], ["CELERY_BROKER_URL": "amqp://variable"], []).brokerURL == "amqp://variable")
        #expect(throws: CommandFailure.self) { try loaded(["--config", "/nonexistent.json"], [:], []) }
        let failure = try #require(throws: CommandFailure.self) {
            try loaded([], ["CELERY_TASK_ACKS_LATE": "sesame"], [])
        }
        #expect(failure.status == .usage)
        #expect(failure.message == "task_acks_late has to be true or false")
        #expect(throws: CommandFailure.self) { try loaded([], [:], ["worker_prefetch_multiplier=-1"]).validated() }
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
