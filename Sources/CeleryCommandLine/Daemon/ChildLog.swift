import CeleryWorker
import FoundationEssentials

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// How the child processes of the pool find the file of `--logfile`: by an environment variable, as in Celery.
enum ChildLog {
    private static let variable = "SWCELERY_POOL_LOGFILE"

    /// Tells child processes that start from now on.
    static func announce(_ template: String?) {
        guard let template else { return }
        setenv(variable, template, 1)
    }

    /// The file for the child of this name, whose number is at its end: `ForkPoolWorker-3`.
    ///
    /// Nil where the log goes to standard error, or the file cannot be opened.
    static func file(for child: String) -> LogFile? {
        guard let template = ProcessInfo.processInfo.environment[variable] else { return nil }
        // What a task starts is no child of the pool.
        unsetenv(variable)
        let number = child.split(separator: "-").last.flatMap { Int($0) } ?? 0
        guard let node = try? NodeName.option(""),
            let path = try? NodeFilePath.expand(template, node: node, process: number)
        else { return nil }
        return try? LogFile(path: path, takesStandardError: true)
    }
}
