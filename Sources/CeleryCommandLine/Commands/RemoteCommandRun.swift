import Celery
import Logging
import Synchronization

/// One command of remote control as the command line runs it: sent, collected, shown.
struct RemoteCommandRun: Sendable {
    let configuration: CeleryConfiguration
    let options: RemoteOptions.Values
    let text: ReplyText
    /// Whether what nodes say is shown, and not only that they are there.
    var showsBody = true
    let logger: Logger

    /// Sends the command, and shows each reply when it comes in unless JSON is wanted.
    ///
    /// - Throws: `CommandFailure`; with the status `unavailable` where nobody replies.
    func replies(_ command: String, _ arguments: JSONObject) async throws -> [ControlReply] {
        let client: ControlClient
        do {
            client = try ControlClient(configuration: configuration, logger: logger)
        } catch {
            throw CommandFailure(error)
        }
        let result: Result<[ControlReply], CeleryError>
        do throws(CeleryError) {
            result = .success(
                try await client.broadcast(
                    command,
                    arguments: arguments,
                    to: options.target,
                    timeout: options.timeout,
                    onReply: show
                )
            )
        } catch {
            result = .failure(error)
        }
        await client.shutdown()
        switch result {
        case .failure(let error): throw CommandFailure(error)
        case .success(let replies) where replies.isEmpty:
            throw CommandFailure("No nodes replied within time constraint", status: .unavailable)
        case .success(let replies): return replies
        }
    }

    private func show(_ reply: ControlReply) {
        guard !options.json else { return }
        ConsoleStream.output.writeLine(text.lines(reply, showsBody: showsBody).joined(separator: "\n"))
    }

    /// Shows how many nodes have replied.
    func showFooter(_ replies: [ControlReply]) {
        guard !text.isQuiet else { return }
        let count = Set(replies.map(\.node)).count
        ConsoleStream.output.writeLine(text.footer(count).joined(separator: "\n"))
    }

    /// The replies as `inspect --json` has them: a map of nodes.
    static func map(_ replies: [ControlReply]) -> JSONValue {
        .object(JSONObject(replies.map { ($0.node, $0.value) }) { $1 })
    }

    /// The replies as `control --json` has them: a list of maps of one node each.
    static func list(_ replies: [ControlReply]) -> JSONValue {
        .array(replies.map { .object([$0.node: $0.value]) })
    }
}

extension RemoteOptions {
    /// The options' values.
    struct Values: Sendable {
        let timeout: Duration
        let target: ControlTarget
        let json: Bool
    }

    /// What a run needs of the options.
    var values: Values { Values(timeout: timeout, target: target, json: json) }
}

extension GlobalOptions {
    /// How a command shows results: in colour where standard output is a terminal and nobody forbids it.
    func textStyle(_ variables: CommandEnvironment, isTerminal: Bool = ConsoleStream.output.isTerminal) -> TextStyle {
        TextStyle(isColored: isTerminal && !noColor && variables[.noColor] == nil)
    }

    /// A run of a command of remote control.
    func remoteRun<Application: CeleryApplication>(
        _ application: Application.Type,
        _ options: RemoteOptions,
        command: String
    ) throws -> RemoteCommandRun {
        let variables = CommandEnvironment.process
        let configuration = try CeleryConfiguration.load(
            base: Application.configuration(),
            global: self,
            variables: variables
        )
        Application.bootstrapLogging(loggingOptions(level: .warning, variables: variables))
        return RemoteCommandRun(
            configuration: configuration,
            options: options.values,
            text: ReplyText(style: textStyle(variables), isQuiet: quiet, command: command),
            logger: Logger(label: "celery.control")
        )
    }
}
