import ArgumentParser
import Celery
import CeleryWorker
import Logging

/// `worker`: runs the application's tasks until a signal ends it.
struct WorkerCommand<Application: CeleryApplication>: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "worker",
            abstract: "Start a worker.",
            usage: "\(ExecutableName.current) worker [options]",
            discussion: """
                Examples:
                  \(ExecutableName.current) worker -l INFO
                  \(ExecutableName.current) worker -Q celery,low-priority -c 8 -n images@%h

                SIGTERM and Ctrl+C end the worker when its running tasks have finished. Ctrl+C once more, or SIGQUIT, \
                cancels them.

                The exit code is 0 after a shutdown, 1 after an error such as a queue that cannot be declared, 75 when the \
                worker was connected but consumed nothing for 15 minutes although it should have, so that it is best \
                started again.

                Options can also be given as CELERY_WORKER_HOSTNAME, CELERY_WORKER_LOGLEVEL, CELERY_WORKER_QUEUES, \
                CELERY_WORKER_EXCLUDE_QUEUES, CELERY_WORKER_CONCURRENCY, CELERY_WORKER_POOL and \
                CELERY_WORKER_PREFETCH_MULTIPLIER.
                """
        )
    }

    @OptionGroup(title: "Worker options")
    var options: WorkerOptions

    @OptionGroup(title: "Global options")
    var global: GlobalOptions

    func run() async throws {
        let variables = CommandEnvironment.process
        let settings = try WorkerSettings(options: options, variables: variables)
        let celery = try BrokerSettings.apply(
            option: global.broker,
            variables: variables,
            to: try Application.configuration()
        )
        Application.bootstrapLogging(global.loggingOptions(level: settings.logLevel, variables: variables))
        let logger = Logger(label: "celery.worker")
        var registry = TaskRegistry()
        try Application.register(&registry)
        let worker = try makeWorker(settings, celery, registry, logger)
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
        let status = await SupervisedWorker(worker: worker, logger: logger).run()
        if status != .success { throw CommandFailure("", status: status) }
    }

    private func makeWorker(
        _ settings: WorkerSettings,
        _ celery: CeleryConfiguration,
        _ registry: TaskRegistry,
        _ logger: Logger
    ) throws -> Worker {
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
