import CeleryWorker

/// How a worker is to run as a daemon: options first, then environment variables.
struct DaemonSettings: Sendable, Hashable {
    let detach: Bool
    /// Where the log goes; nil for standard error.
    let logFile: String?
    /// The same for child processes, with `%i` and `%I` in it.
    let childLogFile: String?
    let pidfile: String?
    let user: String?
    let group: String?
    let umask: FileModeMask?

    /// Puts the settings together.
    ///
    /// - Throws: `CommandFailure` with the usage status for a value that cannot be used.
    init(options: DaemonOptions, node: NodeName, variables: CommandEnvironment) throws {
        detach = try variables.flag(options.detach, .workerDetach)
        let template = options.logFile ?? variables[.workerLogFile]
        logFile = try Self.path(template, node)
        childLogFile = try Self.path(template, node, process: nil)
        pidfile = try Self.path(options.pidfile ?? variables[.workerPidfile], node)
        user = options.user ?? variables[.workerUser]
        group = options.group ?? variables[.workerGroup]
        umask = try options.umask ?? variables.value(.workerUmask, parsedBy: FileModeMask.init(parsing:))
    }

    private static func path(_ template: String?, _ node: NodeName, process: Int? = 0) throws -> String? {
        guard let template, !template.isEmpty else { return nil }
        return try CommandFailure.usage { try NodeFilePath.expand(template, node: node, process: process) }
    }
}
