import ArgumentParser
import Celery
import Logging

/// `call NAME`: sends one task, and waits for its result if wanted.
struct CallCommand<Application: CeleryApplication>: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "call",
            abstract: "Call a task by name.",
            usage: "\(ExecutableName.current) call <name> [options]",
            discussion: """
                Prints the task's id. With --wait it prints the result as JSON instead; a task that failed shows its \
                traceback and ends with the exit code 1. Without --wait no result is asked for: with rpc:// only the \
                sender could read it.
                """
        )
    }

    @Argument(help: "The task's name, such as proj.add.")
    var name: String

    @OptionGroup(title: "Calling options")
    var call: CallOptions

    @OptionGroup(title: "Result options")
    var result: WaitOptions

    @OptionGroup(title: "Routing options")
    var routing: RoutingOptions

    @OptionGroup(title: "Global options")
    var global: GlobalOptions

    func validate() throws {
        guard !name.isEmpty else { throw ValidationError("The task's name is empty.") }
        guard result.timeout == nil || result.wait else {
            throw ValidationError("--timeout has a meaning only with --wait.")
        }
    }

    /// The options of the send.
    var taskOptions: TaskOptions {
        var options = TaskOptions(
            queue: routing.queue,
            exchange: routing.exchange,
            routingKey: routing.routingKey,
            priority: routing.priority,
            countdown: call.countdown,
            expires: call.expires
        )
        options.eta = call.eta
        return options
    }

    func run() async throws {
        let variables = CommandEnvironment.process
        let configuration = try CeleryConfiguration.load(
            base: Application.configuration(),
            global: global,
            variables: variables
        )
        Application.bootstrapLogging(global.loggingOptions(level: .warning, variables: variables))
        let logger = Logger(label: "celery.call")
        do {
            try await withCeleryClient(configuration: configuration, logger: logger) { client in
                try await send(through: client)
            }
        } catch let error as CeleryError {
            throw CommandFailure(error)
        }
    }

    private func send(through client: CeleryClient) async throws {
        let arguments = call.arguments ?? []
        let keywords = call.keywords ?? [:]
        guard result.wait else {
            let id = try await client.enqueue(name, args: arguments, kwargs: keywords, options: taskOptions)
            ConsoleStream.output.writeLine(id)
            return
        }
        let handle = try await client.send(name, args: arguments, kwargs: keywords, options: taskOptions)
        if !global.quiet { ConsoleStream.error.writeLine(handle.id) }
        do {
            let value = try await handle.value(timeout: result.timeout)
            ConsoleStream.output.writeLine(String(decoding: value.serialized(), as: UTF8.self))
        } catch let failure as TaskFailure {
            throw CommandFailure(failure)
        }
    }
}
