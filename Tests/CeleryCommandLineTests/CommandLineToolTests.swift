import ArgumentParser
import Celery
import CeleryWorker
import Logging
import Testing

@testable import CeleryCommandLine

/// An application as a user would write it, with all that is optional given.
private struct SampleApplication: CeleryApplication {
    static let name = "sample"
    static let version = "1.2.3"

    static func register(_ tasks: inout TaskRegistry) throws {
        tasks.register("sample.echo", arguments: "text") { (text: String) in text }
    }
}

@Suite struct CommandLineToolTests {
    private let tool = CommandLineTool<SampleApplication>(variables: CommandEnvironment([:]))

    private func command<Command>(_ type: Command.Type, _ arguments: String...) throws -> Command {
        guard case .command(let command) = tool.read(arguments) else {
            throw OptionError("\(arguments) is no command")
        }
        return try #require(command as? Command)
    }

    private func text(_ arguments: [String]) throws -> (String, CommandStatus) {
        guard case .text(let text, let status) = tool.read(arguments) else {
            throw OptionError("\(arguments) is a command")
        }
        return (text, status)
    }

    @Test(arguments: [
        ["-b", "amqp://h", "worker"], ["worker", "-b", "amqp://h"], ["worker", "-bamqp://h"],
        ["--broker=amqp://h", "worker"],
        ["-b", "amqp://first", "worker", "-b", "amqp://h"],
    ])
    func theBrokerMayStandBeforeAndAfterTheCommand(arguments: [String]) throws {
        guard case .command(let command) = tool.read(arguments) else {
            Issue.record("\(arguments) is no command")
            return
        }
        #expect((command as? WorkerCommand<SampleApplication>)?.global.broker == "amqp://h")
    }

    @Test func theOptionsOfAWorker() throws {
        let worker = try command(
            WorkerCommand<SampleApplication>.self,
            "-q",
            "worker",
            "-Q",
            "celery,low-priority",
            "-c8",
            "-n",
            "w@x",
            "-l",
            "info",
            "-P",
            "threads",
            "-X",
            "old",
            "--prefetch-multiplier",
            "1",
            "--purge",
            "-C"
        )
        #expect(worker.options.queues?.names == ["celery", "low-priority"])
        #expect(worker.options.excludedQueues?.names == ["old"])
        #expect(worker.options.concurrency == .fixed(8))
        #expect(worker.options.hostname?.description == "w@x")
        #expect(worker.options.logLevel == .info)
        #expect(worker.options.pool == .tasks)
        #expect(worker.options.prefetchMultiplier?.number == 1)
        #expect(worker.options.purge)
        #expect(worker.global.quiet)
        #expect(worker.global.noColor)
    }

    @Test func theOptionsOfAPoolAndADaemon() throws {
        let worker = try command(
            WorkerCommand<SampleApplication>.self,
            "worker",
            "-P",
            "prefork",
            "-E",
            "-Ofair",
            "-S",
            "/tmp/%n.db",
            "--autoscale=8,2",
            "--time-limit",
            "60",
            "--soft-time-limit",
            "50.5",
            "--max-tasks-per-child",
            "100",
            "--max-memory-per-child",
            "200000",
            "--pool-start-method",
            "spawn",
            "--without-gossip",
            "--without-mingle",
            "--without-heartbeat",
            "--heartbeat-interval",
            "5",
            "--shutdown-grace",
            "20",
            "-D",
            "-f",
            "%n%I.log",
            "--pidfile=/run/%n.pid",
            "--uid",
            "nobody",
            "--gid",
            "nogroup",
            "--umask",
            "022",
            "--config",
            "s.json",
            "task_acks_late=1",
            "a.b=2"
        )
        #expect(worker.options.pool == .processes)
        #expect(worker.pool.taskEvents)
        #expect(worker.pool.optimization == .fair)
        #expect(worker.pool.stateDB == "/tmp/%n.db")
        #expect(worker.pool.autoscale?.maximum == 8)
        #expect(worker.pool.timeLimit == .seconds(60))
        #expect(worker.pool.softTimeLimit == .milliseconds(50_500))
        #expect(worker.pool.maxTasksPerChild?.number == 100)
        #expect(worker.pool.maxMemoryPerChild?.number == 200_000)
        #expect(worker.pool.withoutGossip && worker.pool.withoutMingle && worker.pool.withoutHeartbeat)
        #expect(worker.pool.heartbeatInterval?.number == 5)
        #expect(worker.pool.shutdownGrace == .seconds(20))
        #expect(worker.daemon.detach)
        #expect(worker.daemon.logFile == "%n%I.log")
        #expect(worker.daemon.pidfile == "/run/%n.pid")
        #expect(worker.daemon.user == "nobody")
        #expect(worker.daemon.group == "nogroup")
        #expect(worker.daemon.umask?.bits == 0o22)
        #expect(worker.global.configurationFile == "s.json")
        #expect(worker.settings.map(\.key) == ["task_acks_late", "a_b"])
    }

    @Test func theOptionsOfACall() throws {
        let call = try command(
            CallCommand<SampleApplication>.self,
            "call",
            "proj.add",
            "-a",
            "[2, 3]",
            "-k",
            #"{"x": null}"#,
            "--countdown",
            "1.5",
            "--expires",
            "60",
            "--queue",
            "q",
            "--exchange",
            "e",
            "--routing-key",
            "k",
            "--priority",
            "9",
            "--wait",
            "--timeout",
            "2"
        )
        #expect(call.name == "proj.add")
        #expect(call.call.arguments == [.int(2), .int(3)])
        #expect(call.call.keywords == ["x": .null])
        #expect(call.result.wait)
        #expect(call.result.timeout == .seconds(2))
        let options = call.taskOptions
        #expect(options.countdown == .milliseconds(1500))
        #expect(options.expires == .after(.seconds(60)))
        #expect(options.queue == "q")
        #expect(options.exchange == "e")
        #expect(options.routingKey == "k")
        #expect(options.priority == 9)
    }

    @Test func theOptionsOfAResult() throws {
        let result = try command(
            ResultCommand<SampleApplication>.self,
            "result",
            "7-8",
            "--reply-queue",
            "r",
            "--traceback"
        )
        #expect(result.id == "7-8")
        #expect(result.replyQueue == "r")
        #expect(result.traceback)
    }

    @Test(arguments: [
        ["--help"], ["worker", "--help"], ["help", "call"], ["worker", "-h"], ["--version"], ["worker", "--version"],
    ])
    func helpAndVersionAreNoErrors(arguments: [String]) throws {
        #expect(try text(arguments).1 == .success)
    }

    @Test func theVersionIsTheApplications() throws {
        #expect(try text(["--version"]).0 == "1.2.3 (sample)")
    }

    @Test(arguments: [
        ["bogus"], ["worker", "--bogus"], ["worker", "extra"], ["worker", "-c", "many"], ["worker", "-Q"],
        ["worker", "-P", "custom"], ["worker", "--pool-start-method", "fork"], ["worker", "--autoscale", "x"],
        ["worker", "-l", "loud"], ["worker", "-A", "app"], ["worker", "--workdir", "/"],
        ["call"], ["call", ""], ["call", "x", "-a", "{"], ["call", "x", "--timeout", "3"],
        ["call", "x", "--priority", "300"],
        ["call", "x", "--eta", "soon"], ["result"],
    ])
    func errorsOfUsageHaveTheirExitCodeAndAHint(arguments: [String]) throws {
        let (text, status) = try text(arguments)
        #expect(status.code == 2)
        #expect(text.hasPrefix("Error: "))
        #expect(text.contains("--help"))
    }

    @Test func anOptionOfCelerysIsExplained() throws {
        #expect(try text(["worker", "-B"]).0.contains("Celery's option -B is not there yet"))
        #expect(try text(["worker", "-I", "proj"]).0.contains("compiled into it"))
        #expect(ForeignOptions.remark(on: ["--", "-B"]) == nil)
    }

    @Test func theApplicationBelongsBeforeTheCommand() throws {
        #expect(try text(["worker", "-A", "app"]).0.contains("before the command"))
    }

    @Test func withoutACommandThereIsHelp() async throws {
        let root = try command(RootCommand<SampleApplication>.self)
        do {
            try await root.run()
            Issue.record("the help is thrown")
        } catch {
            #expect(RootCommand<SampleApplication>.exitCode(for: error) == .success)
            #expect(RootCommand<SampleApplication>.fullMessage(for: error).contains("worker"))
        }
    }
}
