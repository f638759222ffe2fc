import Celery
import CeleryWorker
import Logging

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// The process that runs a worker: its log, its pidfile, its banner, and its end.
struct WorkerLaunch<Application: CeleryApplication>: Sendable {
    let settings: WorkerSettings
    let daemon: DaemonSettings
    let celery: CeleryConfiguration
    let global: GlobalOptions
    let variables: CommandEnvironment

    /// Runs the worker to its end.
    ///
    /// - Throws: `CommandFailure` with the exit code, if that is not 0. Where a signal asks for it the process starts anew.
    func run() async throws {
        let logFile = try daemon.logFile.map { try LogFile(path: $0, takesStandardError: true) }
        let pidfile = try daemon.pidfile.map { try Pidfile(acquiring: $0) }
        let end: SupervisedWorker.End
        do {
            end = try await run(logFile, pidfile)
        } catch {
            pidfile?.release()
            throw error
        }
        if end.restarts, let start = ProcessStart.current {
            // The new program finds the pidfile of its own process, and takes it over.
            defer { pidfile?.release() }
            try start.execute()
        }
        pidfile?.release()
        if end.status != .success { throw CommandFailure("", status: end.status) }
    }

    private func run(_ logFile: LogFile?, _ pidfile: Pidfile?) async throws -> SupervisedWorker.End {
        var logging = global.loggingOptions(
            level: settings.logLevel,
            variables: variables,
            isTerminal: logFile == nil && ConsoleStream.error.isTerminal
        )
        logging.logFile = logFile
        ChildLog.announce(daemon.childLogFile)
        Application.bootstrapLogging(logging)
        let logger = Logger(label: "celery.worker")
        tell(logger)
        var registry = TaskRegistry()
        try Application.register(&registry)
        let worker = try makeWorker(registry, logger)
        if !global.quiet {
            let banner = Banner(
                worker: worker,
                application: Application.self,
                transport: try BrokerSettings.redacted(celery),
                settings: settings,
                tasks: registry.names
            )
            ConsoleStream.output.writeLine(banner.text)
        }
        return await SupervisedWorker(
            worker: worker,
            logger: logger,
            report: logFile.map { .file($0) } ?? .stream(.error),
            notifier: ServiceNotifier(variables, process: getpid()),
            remapsTerminate: variables[.remapTerminate] == ShutdownSequence.Signal.quit.rawValue,
            release: { pidfile?.release() }
        ).run()
    }

    /// What an operator should know of the settings.
    private func tell(_ logger: Logger) {
        if celery.workerSendTaskEvents {
            logger.warning("Events of tasks are not there yet: none are sent (-E, worker_send_task_events)")
        }
        if settings.poolSettings.autoscale != nil, settings.pool != .processes {
            logger.warning("--autoscale concerns child processes only (-P processes)")
        }
        for setting in celery.changedSettings {
            logger.debug("Setting", metadata: ["setting": "\(setting.name)", "value": "\(setting.value)"])
        }
    }

    private func makeWorker(_ registry: TaskRegistry, _ logger: Logger) throws -> Worker {
        do {
            return try Worker(
                configuration: settings.configuration(celery, cpus: .current()),
                celery: celery,
                registry: registry,
                logger: logger
            )
        } catch {
            throw CommandFailure(error)
        }
    }
}
