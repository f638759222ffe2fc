import CSystemShims
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// A file that the log is appended to, and that may be moved away while it is written.
///
/// Before each write it is looked at whether the path still leads to the file that is open, and opened anew where it does
/// not, as Python's `WatchedFileHandler` does: `logrotate` may move it (`create`) or cut it (`copytruncate`).
final class LogFile: Sendable {
    private struct State {
        var stream: ConsoleStream
        var device: dev_t
        var number: ino_t
    }

    /// Where the file is.
    let path: String
    /// The descriptors of standard output and errors that lead to the file too.
    private let followers: [Int32]
    private let state: Mutex<State>

    /// Opens the file, and makes it where it is missing.
    ///
    /// - Parameter takesStandardError: whether what is written to standard error goes there as well: the last words of a
    ///   crash, and the lines of child processes.
    /// - Throws: `CommandFailure` where it cannot be written.
    init(path: String, takesStandardError: Bool) throws {
        self.path = path
        guard let opened = Self.open(path) else {
            throw CommandFailure("Cannot write the log to '\(path)': error \(errno) of the system (errno)")
        }
        state = Mutex(opened)
        // A detached worker's standard output leads there from the start.
        let isOutput = Self.leads(STDOUT_FILENO, to: opened)
        followers = takesStandardError ? [STDERR_FILENO] + (isOutput ? [STDOUT_FILENO] : []) : []
        redirect(opened.stream.descriptor)
    }

    /// The descriptor that is open at present.
    var descriptor: Int32 { state.withLock { $0.stream.descriptor } }

    /// Appends bytes.
    func write(_ bytes: [UInt8]) {
        state.withLock { state in
            reopenIfMoved(&state)
            state.stream.write(bytes)
        }
    }

    private func reopenIfMoved(_ state: inout State) {
        var found = stat()
        if stat(path, &found) == 0, found.st_dev == state.device, found.st_ino == state.number { return }
        // What cannot be opened again goes on into the old file, which is better than nowhere.
        guard let opened = Self.open(path) else { return }
        close(state.stream.descriptor)
        state = opened
        redirect(opened.stream.descriptor)
    }

    private func redirect(_ descriptor: Int32) {
        for follower in followers { swc_redirect(descriptor, follower) }
    }

    private static func leads(_ descriptor: Int32, to file: State) -> Bool {
        var found = stat()
        return fstat(descriptor, &found) == 0 && found.st_dev == file.device && found.st_ino == file.number
    }

    private static func open(_ path: String) -> State? {
        let descriptor = SystemFile.open(path, O_WRONLY | O_APPEND | O_CREAT)
        guard descriptor >= 0 else { return nil }
        var found = stat()
        fstat(descriptor, &found)
        return State(stream: ConsoleStream(descriptor: descriptor), device: found.st_dev, number: found.st_ino)
    }
}
