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
        ["worker", "-P", "custom"], ["worker", "-l", "loud"], ["worker", "-A", "app"], ["worker", "--workdir", "/"],
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
        #expect(try text(["worker", "--autoscale=4,1"]).0.contains("Celery's option --autoscale is not there yet."))
        #expect(try text(["worker", "-E"]).0.contains("sends no events"))
        #expect(ForeignOptions.remark(on: ["--", "-E"]) == nil)
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
