import CSystemShims
import FoundationEssentials
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// `--detach`: the process that somebody started makes another one in a session of its own, and ends when that is up.
///
/// A process with threads cannot be forked, as Celery's is; the detached one begins anew, with the same arguments.
enum DetachedStart {
    private enum Variable {
        /// Set for the process that is started: it has the pipe.
        static let pipe = "SWCELERY_DETACHED_READY"
        /// Set by that process for itself, with its id: it is detached, also after it has become a new program.
        static let process = "SWCELERY_DETACHED_PID"
    }

    /// What the new process writes when it is up; whatever else it writes is a complaint.
    private static let word = "up"
    private static let pipe = Mutex<Int32?>(nil)

    /// Whether this process is the detached one already.
    ///
    /// Looks at the variables the first time, and takes the pipe over.
    static func isUnderWay() -> Bool {
        let variables = ProcessInfo.processInfo.environment
        if variables[Variable.pipe] == "1" {
            unsetenv(Variable.pipe)
            setenv(Variable.process, "\(getpid())", 1)
            swc_descriptors_close_on_exec(3)
            pipe.withLock { $0 = Int32(SWC_READY_DESCRIPTOR) }
            return true
        }
        return variables[Variable.process] == "\(getpid())"
    }

    /// Starts the detached process and waits until it is up.
    ///
    /// - Throws: `CommandFailure` with the complaint and the exit code of a process that did not come up.
    static func run(_ start: ProcessStart, logFile: LogFile?) throws {
        var variables = ProcessInfo.processInfo.environment
        variables[Variable.pipe] = "1"
        variables[Variable.process] = nil
        let child = try start.spawnDetached(environment: variables, output: logFile?.descriptor)
        let answer = read(child.ready)
        guard answer != word else { return }
        let code = swc_child_exit_code(child.pid)
        let reason = answer.isEmpty ? "The detached worker ended while it was starting (exit code \(code))" : answer
        throw CommandFailure(reason, status: CommandStatus(code: code > 0 ? code : CommandStatus.failure.code))
    }

    /// Tells whoever waits that the worker is up.
    static func reportUp() { report(word) }

    /// Tells whoever waits why the worker does not come up.
    static func reportFailure(_ message: String) { report(message.isEmpty ? " " : message) }

    private static func report(_ text: String) {
        guard let descriptor = pipe.withLock({ $0.take() }) else { return }
        ConsoleStream(descriptor: descriptor).write(Array(text.utf8))
        close(descriptor)
    }

    private static func read(_ descriptor: Int32) -> String {
        let handle = FileHandleReader(descriptor: descriptor)
        defer { close(descriptor) }
        return handle.readToEnd(limit: 65_536)
    }
}

/// Reads a descriptor to its end.
struct FileHandleReader: Sendable {
    let descriptor: Int32

    /// The text until the end or the limit.
    func readToEnd(limit: Int) -> String {
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while text.count < limit {
            let count = systemRead(&buffer)
            if count > 0 {
                text.append(contentsOf: buffer.prefix(count))
            } else if count == 0 || errno != EINTR {
                break
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    private func systemRead(_ buffer: inout [UInt8]) -> Int {
        #if canImport(Glibc)
        Glibc.read(descriptor, &buffer, buffer.count)
        #elseif canImport(Musl)
        Musl.read(descriptor, &buffer, buffer.count)
        #else
        Darwin.read(descriptor, &buffer, buffer.count)
        #endif
    }
}
