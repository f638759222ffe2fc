import CeleryCommandLine
import CeleryWorker

/// A worker whose tasks end in every way there is: the tasks of `proj/outcomes.py`, one for one.
///
/// `outcomeworker worker …` is the usual command line; `outcomeworker embedded POOL CONCURRENCY NAME` is a program that has a
/// worker in it and tells it what it reads from its standard input.
@main
enum OutcomeWorker {
    static func main() async throws {
        let arguments = CommandLine.arguments.dropFirst()
        guard arguments.first == "embedded" else { return await OutcomeApplication.main() }
        var registry = TaskRegistry()
        try OutcomeApplication.register(&registry)
        ConsoleLogHandler.bootstrap(level: .info, isColored: false)
        await PoolChild.runIfStarted(registry: registry)
        try await EmbeddedWorker(Array(arguments.dropFirst()), registry).run()
    }
}
