#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Puts another worker executable in this one's place: what `-A` does.
///
/// Python loads a module by this option. A Swift application is an executable of its own, so the process becomes that
/// executable, under the same process id, with the arguments that remain.
struct ApplicationLoader: Sendable, Hashable {
    /// What was given as the application.
    let name: String

    /// Becomes the application's executable; returns only by throwing.
    ///
    /// A name with a slash is a path; another is looked for in the folders of `PATH`, as a shell does. `CELERY_APP` is
    /// taken out of the environment, since the application must not look for itself.
    ///
    /// - Throws: `CommandFailure` where there is no such executable.
    func execute(arguments: [String]) throws -> Never {
        unsetenv(CommandEnvironment.Variable.application.rawValue)
        let vector = ([name] + arguments).map { strdup($0) } + [nil]
        execvp(name, vector)
        // Only a failure comes this far.
        let code = errno
        for copy in vector { free(copy) }
        throw failure(code: code)
    }

    /// The complaint about an executable that could not be started.
    func failure(code: Int32) -> CommandFailure {
        let reason =
            switch code {
            case ENOENT: "there is no such executable"
            case EACCES: "it is not an executable file"
            default: "error \(code) of the system (errno)"
            }
        return CommandFailure(
            """
            Unable to start the application '\(name)': \(reason).
            -A and CELERY_APP name the executable of a Swift worker, for example -A .build/release/ImageWorker; \
            a Python module cannot be loaded.
            """,
            status: .usage
        )
    }
}
