public import Celery
public import CeleryWorker
public import Logging

/// An executable with tasks of its own, which thereby has all commands of `swcelery`.
///
/// ```swift
/// @main struct ImageWorker: CeleryApplication {      // imageworker worker -Q celery,low-priority
///     static func register(_ tasks: inout TaskRegistry) throws {
///         tasks.register("proj.mul", arguments: "x", "y") { (x: Int, y: Int) in x * y }
///     }
/// }
/// ```
public protocol CeleryApplication {
    /// What the banner calls the application; the type's name unless given.
    static var name: String { get }

    /// What `--version` shows behind the name; the version of this package unless given.
    static var version: String { get }

    /// The settings. Environment variables and options of the command line go before them.
    static func configuration() throws -> CeleryConfiguration

    /// Registers the tasks that the `worker` command runs.
    ///
    /// - Throws: whatever prevents the worker from starting; the message is shown and the exit code is 1.
    static func register(_ tasks: inout TaskRegistry) throws

    /// Sets up logging for the process, once, before anything is logged: by default on standard error in Celery's format.
    static func bootstrapLogging(_ options: LoggingOptions)
}

/// An application that becomes another one where `CELERY_APP` names it: `swcelery` itself.
///
/// A user's own executable leaves that variable alone, since it may well be set for Python's workers beside it.
package protocol StartsNamedApplication: CeleryApplication {}

/// How the command line wants the process to log.
public struct LoggingOptions: Sendable {
    /// Lines below this level are to be left out.
    public var level: Logger.Level
    /// Whether colours are wanted: a terminal is there and nobody forbade them.
    public var isColored: Bool
    /// The file of `--logfile`, which stays right when it is moved away.
    var logFile: LogFile?
    /// What lines call the process: Celery's names of the worker's own and of child processes.
    var processName = "MainProcess"

    /// The path of the file that the log is to go to; nil for standard error.
    ///
    /// Standard error leads there too.
    public var logFilePath: String? { logFile?.path }

    init(level: Logger.Level, isColored: Bool) {
        self.level = level
        self.isColored = isColored
    }
}

extension CeleryApplication {
    /// The type's name.
    public static var name: String { String(describing: Self.self) }

    /// The version of this package.
    public static var version: String { PackageVersion.text }

    /// Celery's defaults.
    public static func configuration() throws -> CeleryConfiguration { CeleryConfiguration() }

    /// Celery's log format on standard error, or in the file of `--logfile`.
    public static func bootstrapLogging(_ options: LoggingOptions) {
        ConsoleLogHandler.bootstrap(options)
    }

    /// Runs the command that the process's arguments ask for, and ends the process with its exit code.
    @concurrent
    public static func main() async {
        await CommandLineTool<Self>(variables: .process).runAndExit()
    }
}
