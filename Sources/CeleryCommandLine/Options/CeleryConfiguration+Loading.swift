import Celery

extension CeleryConfiguration {
    /// The settings that a command works with: options first, then the environment, the file of `--config`, and last what
    /// the application itself says.
    ///
    /// - Parameter arguments: settings as `key=value` on the command line.
    /// - Throws: `CommandFailure` with the usage status; the message shows no value.
    static func load(
        base: CeleryConfiguration,
        global: GlobalOptions,
        variables: CommandEnvironment,
        arguments: [SettingArgument] = []
    ) throws -> CeleryConfiguration {
        var configuration = base
        // The options' parser reads this one, which knows more values than the setting has.
        let ownName = CommandEnvironment.Variable.workerConcurrency.rawValue
        do {
            let reader = try CeleryConfiguration.reader(
                values: Dictionary(arguments.map { ($0.key, $0.value) }) { $1 },
                environment: variables.all.filter { $0.key != ownName },
                file: global.configurationFile ?? variables[.configurationFile]
            )
            try configuration.apply(reader)
        } catch {
            throw CommandFailure(error)
        }
        return try BrokerSettings.apply(option: global.broker, variables: variables, to: configuration)
    }

    /// Refuses settings that a worker cannot run with.
    ///
    /// - Throws: `CommandFailure` with the usage status, naming the setting.
    func validated() throws -> CeleryConfiguration {
        do {
            try validate()
            return self
        } catch {
            throw CommandFailure(error)
        }
    }
}

/// A setting on the command line of the worker: `task_acks_late=1`, `worker.concurrency=4`, or `.concurrency=4`.
///
/// Source of the rules: `cmdline_config_parser` of `celery.loaders.base`.
struct SettingArgument: Sendable, Hashable {
    let key: String
    let value: String

    /// Reads an argument; a dot counts as an underscore, and what begins with one belongs to the worker.
    init(parsing text: String) throws {
        guard let sign = text.firstIndex(of: "="), sign > text.startIndex else {
            throw OptionError("'\(text)' is neither an option nor a setting, such as task_acks_late=1")
        }
        let name = String(text[..<sign].lowercased().map { $0 == "." ? "_" : $0 })
        key = name.hasPrefix("_") ? "worker\(name)" : name
        value = String(text[text.index(after: sign)...])
    }
}
