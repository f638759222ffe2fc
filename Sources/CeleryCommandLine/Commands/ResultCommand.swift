import AMQP
import ArgumentParser
import Celery
import Logging

/// `result ID`: shows a result that waits in a named reply queue, or tells why it cannot be had.
struct ResultCommand<Application: CeleryApplication>: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "result",
            abstract: "Show the result of a task that waits in a reply queue.",
            usage: "\(ExecutableName.current) result <id> --reply-queue <name> [options]",
            discussion: """
                With rpc:// a result goes to the reply queue of the client that sent the task, and is gone when that client \
                has read it. So no other process can look a result up by its id: wait for it where the task is sent, \
                for example with 'call --wait'.

                Where the sender named a reply queue of its own (reply_to), the results that wait there can be shown. \
                They are looked at, not taken: they stay in the queue. (A quorum queue counts each look as a delivery.)
                """
        )
    }

    @Argument(help: "The task's id.")
    var id: String

    @Option(help: ArgumentHelp("The queue that the sender named as reply_to.", valueName: "name"))
    var replyQueue: String?

    @Flag(help: "Show the traceback instead of the result.")
    var traceback = false

    @OptionGroup(title: "Global options")
    var global: GlobalOptions

    func run() async throws {
        guard let replyQueue else { throw Self.explanation(ExecutableName.current) }
        let variables = CommandEnvironment.process
        let celery = try CeleryConfiguration.load(
            base: Application.configuration(),
            global: global,
            variables: variables
        )
        Application.bootstrapLogging(global.loggingOptions(level: .warning, variables: variables))
        let broker = try makeBroker(celery)
        let found = try await ReplyQueueReader(queue: replyQueue, broker: broker).latestResult(of: id)
        ConsoleStream.output.writeLine(try Self.text(found, traceback: traceback))
    }

    private func makeBroker(_ celery: CeleryConfiguration) throws -> AMQPBroker {
        do {
            return try AMQPBroker(configuration: celery, logger: Logger(label: "celery.result"))
        } catch {
            throw CommandFailure(error)
        }
    }

    /// Why nothing can be shown without the name of a queue.
    static func explanation(_ executable: String) -> CommandFailure {
        CommandFailure(
            """
            With rpc:// only the client that sent a task can read its result, so it cannot be looked up by id.
            Wait for it where the task is sent:      \(executable) call <name> --wait
            If the sender named a reply queue:       \(executable) result <id> --reply-queue <name>
            """,
            status: .unavailable
        )
    }

    /// What is shown of a result.
    ///
    /// - Throws: `CommandFailure` where the task failed or has not ended.
    static func text(_ result: ResultMessage, traceback: Bool) throws -> String {
        if traceback { return result.traceback ?? "The result has no traceback." }
        switch result.state {
        case .success:
            return String(decoding: result.result.serialized(), as: UTF8.self)
        case .failure, .revoked:
            throw CommandFailure(TaskFailure(result))
        default:
            let information = String(decoding: result.result.serialized(), as: UTF8.self)
            throw CommandFailure(
                "The task has not ended yet. Its last known state is \(result.state.name): \(information)",
                status: .unavailable
            )
        }
    }
}
