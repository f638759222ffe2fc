import ArgumentParser
import CeleryWorker

/// `check`: asks a worker on this machine how it is, by its health file.
struct CheckCommand<Application: CeleryApplication>: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "check",
            abstract: "Ask a worker on this machine how it is, for probes.",
            usage: "\(ExecutableName.current) check [live|ready|startup] --health-file <path>",
            discussion: """
                Reads what a worker that was started with --health-file writes every two seconds. It connects to nothing \
                and takes milliseconds, as suits exec probes of Kubernetes, HEALTHCHECK of Docker and ExecCondition of \
                systemd. CELERY_WORKER_HEALTH_FILE in the environment serves the worker and the check.

                  live     the worker does its work (the default)
                  ready    it is connected, consumes from all of its queues, and does not end
                  startup  it has consumed from all of its queues at one time

                The exit code is 0 for yes; 1 for no, also where the worker has not answered for 10 seconds; 69 where there \
                is no worker or no file to be believed: it is missing, may not be read, can be written by others, or its \
                process is gone; 2 for wrong arguments.
                """
        )
    }

    @Argument(
        help: ArgumentHelp("What is asked. (default: live)", valueName: "live|ready|startup"),
        transform: { text in
            guard let question = HealthVerdict.Question(rawValue: text) else {
                throw OptionError("'\(text)' is not one of 'live', 'ready', 'startup'")
            }
            return question
        }
    )
    var question: HealthVerdict.Question = .live

    @Option(
        name: .customLong("health-file"),
        help: ArgumentHelp("The worker's health file, as the worker has the option.", valueName: "path")
    )
    var file: String?

    @Option(
        name: [.customShort("n"), .customLong("hostname")],
        help: ArgumentHelp("The worker's name, where the path has parts of it.", valueName: "name"),
        transform: { try NodeName.option($0) }
    )
    var hostname: NodeName?

    @OptionGroup(title: "Global options")
    var global: GlobalOptions

    func run() async throws {
        let variables = CommandEnvironment.process
        let node =
            try hostname ?? variables.value(.workerHostname, parsedBy: { try NodeName.option($0) })
            ?? NodeName.option("")
        guard let path = try HealthSettings.file(file ?? variables[.workerHealthFile], node) else {
            throw CommandFailure(
                "Which worker? Give --health-file (or CELERY_WORKER_HEALTH_FILE), as the worker has it.",
                status: .usage
            )
        }
        let verdict: HealthVerdict
        switch HealthFile.read(path) {
        case .unusable(let reason): throw CommandFailure(reason, status: .unavailable)
        case .report(let report):
            verdict = HealthVerdict(
                question,
                report,
                isRunning: Pidfile.isThere(report.process),
                now: HealthFile.uptime
            )
        }
        guard verdict.status == .success else { throw CommandFailure(verdict.text, status: verdict.status) }
        if !global.quiet { ConsoleStream.output.writeLine(verdict.text) }
    }
}
