import FoundationEssentials

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// What the daemon's files need of the system.
enum SystemFile {
    /// Opens a file for this program alone, readable by everybody if it is new; negative on failure, with `errno`.
    static func open(_ path: String, _ flags: Int32) -> Int32 {
        let flags = flags | O_CLOEXEC
        #if canImport(Glibc)
        return Glibc.open(path, flags, 0o644)
        #elseif canImport(Musl)
        return Musl.open(path, flags, 0o644)
        #else
        return Darwin.open(path, flags, 0o644)
        #endif
    }

    /// Does something while no other process does so with files of the same folder.
    ///
    /// Without a lock where the system has none for the folder.
    static func withLockedFolder<Value>(of path: String, _ body: () throws -> Value) rethrows -> Value {
        let folder = open(URL(filePath: path).deletingLastPathComponent().path, O_RDONLY | O_DIRECTORY)
        guard folder >= 0 else { return try body() }
        // The lock goes with the descriptor.
        defer { close(folder) }
        while flock(folder, LOCK_EX) != 0, errno == EINTR {}
        return try body()
    }
}
