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
            usage: "\(ExecutableName.current) worker [options] [setting=value …]",
            discussion: """
                Examples:
                  \(ExecutableName.current) worker -l INFO
                  \(ExecutableName.current) worker -Q celery,low-priority -c 8 -n images@%h task_acks_late=1

                SIGTERM and Ctrl+C end the worker when its running tasks have finished. Ctrl+C once more, or SIGQUIT, \
                cancels them, after worker_soft_shutdown_timeout; again, at once; and again, the process ends. With \
                REMAP_SIGTERM=SIGQUIT in the environment SIGTERM does what SIGQUIT does. SIGHUP restarts a worker that has \
                no terminal, SIGUSR1 lists the running tasks in the log.

                The exit code is 0 after a shutdown, 1 after an error such as a queue that cannot be declared, 73 when the \
                pidfile is that of a running process, 75 when the worker was connected but consumed nothing for 15 minutes \
                although it should have, so that it is best started again.

                Every option can also be given as an environment variable, CELERY_WORKER_ and its name in upper case: \
                CELERY_WORKER_HOSTNAME, CELERY_WORKER_MAX_TASKS_PER_CHILD. Every setting can be given as CELERY_ and its name, \
                and in the file of --config.
                """
        )
    }

    @Argument(
        help: ArgumentHelp(
            "Settings by their names: task_acks_late=1, worker.prefetch_multiplier=1.",
            valueName: "setting=value"
        ),
        transform: SettingArgument.init(parsing:)
    )
    var settings: [SettingArgument] = []

    @OptionGroup(title: "Worker options")
    var options: WorkerOptions

    @OptionGroup(title: "Pool options")
    var pool: PoolOptions

    @OptionGroup(title: "Daemonization options")
    var daemon: DaemonOptions

    @OptionGroup(title: "Global options")
    var global: GlobalOptions

    func run() async throws {
        let variables = CommandEnvironment.process
        let settings = try WorkerSettings(options: options, pool: pool, variables: variables)
        let daemon = try DaemonSettings(options: daemon, node: settings.node, variables: variables)
        try Privileges.drop(user: daemon.user, group: daemon.group)
        Privileges.setMask(daemon.umask)
        let celery = try settings.poolSettings.apply(
            to: .load(
                base: Application.configuration(),
                global: global,
                variables: variables,
                arguments: self.settings
            )
        ).validated()
        if daemon.detach, !DetachedStart.isUnderWay() {
            let logFile = try daemon.logFile.map { try LogFile(path: $0, takesStandardError: false) }
            guard let start = ProcessStart.current else { throw CommandFailure("There is nothing to detach") }
            return try DetachedStart.run(start, logFile: logFile)
        }
        try await WorkerLaunch<Application>(
            settings: settings,
            daemon: daemon,
            celery: celery,
            global: global,
            variables: variables
        ).run()
    }
}
