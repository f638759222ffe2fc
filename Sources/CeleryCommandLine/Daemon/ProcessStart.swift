import CSystemShims
import FoundationEssentials

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// How this process was started, so that it can be started again: with the same executable and arguments.
struct ProcessStart: Sendable, Hashable {
    /// The start of this process, while one of its commands runs.
    @TaskLocal static var current: ProcessStart?

    /// The executable: an absolute path, or a name for the folders of `PATH`.
    let executable: String
    /// The arguments without the executable's name, `-A` and `--workdir`, which have had their effect.
    let arguments: [String]

    /// Makes the start of a process with these arguments.
    ///
    /// - Parameters:
    ///   - name: the process's first argument; a relative path is one of the folder that it was started in.
    ///   - folder: that folder.
    init(name: String, arguments: [String], folder: String) {
        executable = name.contains("/") && !name.hasPrefix("/") ? "\(folder)/\(name)" : name
        self.arguments = arguments
    }

    /// Becomes a new process of the same executable under the same process id; returns only by throwing.
    ///
    /// No descriptor but those of standard input and output goes over, and no signal stays blocked or ignored.
    func execute() throws -> Never {
        swc_descriptors_close_on_exec(3)
        let vector = ([executable] + arguments).map { strdup($0) } + [nil]
        swc_signals_reset()
        execvp(executable, vector)
        let code = errno
        for copy in vector { free(copy) }
        throw CommandFailure("Cannot start '\(executable)' anew: error \(code) of the system (errno)")
    }

    /// Starts a process of the same executable in a session of its own, which tells by a pipe when it is up.
    ///
    /// - Parameters:
    ///   - environment: its variables.
    ///   - output: the descriptor of its standard output and errors; nil for none.
    func spawnDetached(environment: [String: String], output: Int32?) throws -> swc_detached_t {
        swc_descriptors_close_on_exec(3)
        let vector = ([executable] + arguments).map { strdup($0) } + [nil]
        let variables = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer {
            for copy in vector + variables { free(copy) }
        }
        let child = swc_detached_spawn(executable, vector, variables, output ?? -1)
        guard child.failure == 0 else {
            throw CommandFailure("Cannot start '\(executable)': error \(child.failure) of the system (errno)")
        }
        return child
    }
}
