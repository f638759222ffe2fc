import FoundationEssentials

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// A file with the process's id, which keeps a second worker from starting: Celery's `Pidfile`.
///
/// A file of a process that is gone, or that cannot be read, is replaced; one of this process's own is taken over.
final class Pidfile: Sendable {
    /// Where the file is.
    let path: String

    /// Makes the file, which must not be there or has to be stale.
    ///
    /// - Throws: `CommandFailure` with Celery's exit code 73 where another process runs, or with 1 where the file cannot be
    ///   written.
    init(acquiring path: String) throws {
        self.path = path
        // Two that find the same stale file must not remove each other's new one.
        try SystemFile.withLockedFolder(of: path) { try acquire() }
    }

    private func acquire() throws {
        if let content = Self.read(path) {
            switch Self.judge(content) {
            // It stays where it is: who looks for the process in the middle of a restart finds it.
            case .free: return
            case .stale(let remark): ConsoleStream.error.writeLine(remark)
            case .held(let process):
                throw CommandFailure(
                    """
                    Pidfile (\(path)) already exists.
                    Seems we're already running? (pid: \(process))
                    """,
                    status: .cannotCreate
                )
            }
            unlink(path)
        }
        try write()
    }

    /// Removes the file, if it still is this process's.
    func release() {
        SystemFile.withLockedFolder(of: path) {
            guard Self.read(path) == Self.content else { return }
            unlink(path)
        }
    }

    private enum Judgement {
        /// It is of this process: a restart, or a container in which every worker has the id 1.
        case free
        case stale(String)
        case held(Int32)
    }

    private static var content: String { "\(getpid())\n" }

    private static func judge(_ content: String) -> Judgement {
        guard content.hasSuffix("\n"), let process = Int32(content.dropLast()), process > 0 else {
            return .stale("Broken pidfile found - Removing it.")
        }
        if content == Self.content { return .free }
        // EPERM: somebody else's process has the id by now.
        let isThere = kill(process, 0) == 0 && !hasEnded(process)
        return isThere ? .held(process) : .stale("Stale pidfile exists - Removing it.")
    }

    /// Whether a process has only not been collected yet by its parent: in a container perhaps for ever.
    private static func hasEnded(_ process: Int32) -> Bool {
        guard let status = read("/proc/\(process)/stat"), let name = status.lastIndex(of: ")") else { return false }
        return status[status.index(after: name)...].first { !$0.isWhitespace } == "Z"
    }

    private static func read(_ path: String) -> String? {
        guard let data = FileManager.default.contents(atPath: path) else {
            return FileManager.default.fileExists(atPath: path) ? "" : nil
        }
        return String(decoding: data, as: UTF8.self)
    }

    /// Writes a file beside it and gives that the name, which fails if the name is taken: nobody reads half a file.
    private func write() throws {
        let draft = "\(path).\(getpid())"
        unlink(draft)
        let descriptor = SystemFile.open(draft, O_WRONLY | O_CREAT | O_EXCL)
        guard descriptor >= 0 else { throw failure(errno) }
        let file = ConsoleStream(descriptor: descriptor)
        file.write(Array(Self.content.utf8))
        fsync(descriptor)
        close(descriptor)
        let status = link(draft, path) == 0 ? 0 : errno
        unlink(draft)
        guard status == 0 else { throw failure(status) }
    }

    private func failure(_ code: Int32) -> CommandFailure {
        CommandFailure("Cannot create the pidfile '\(path)': error \(code) of the system (errno)")
    }
}
