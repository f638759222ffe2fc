import CeleryProtocol
import Dispatch
import FoundationEssentials

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The file in which a worker's state outlives it.
///
/// Written beside its place, flushed to the disk and then renamed, so that a crash leaves the old file or the new one. Used
/// by one worker at a time; of two the last one to save wins.
struct StateDatabase: Sendable {
    /// Disks may be slow, and nobody else is to wait for them.
    private static let queue = DispatchQueue(label: "swcelery.worker.state")

    let path: String
    /// A larger file is not read: 50,000 ids take three megabytes.
    var largestSize = 256 << 20

    /// Where a file goes that cannot be read.
    var damagedPath: String { path + ".damaged" }
    private var newPath: String { path + ".new" }

    /// The state of the file; nil where there is no file.
    ///
    /// - Throws: `PersistedState.Unreadable` for what is in it, or what keeps it from being read at all.
    func load() async throws -> PersistedState? {
        try await Self.perform { [self] in
            guard FileManager.default.fileExists(atPath: path) else { return nil }
            guard try Self.size(of: path) <= largestSize else {
                throw PersistedState.Unreadable(description: "it is too large")
            }
            let bytes = Array(try Data(contentsOf: URL(filePath: path)))
            do {
                return try PersistedState(decoding: bytes)
            } catch let error as ProtocolError {
                throw PersistedState.Unreadable(description: "\(error)")
            }
        }
    }

    /// Keeps a file that cannot be read under another name.
    ///
    /// - Throws: what keeps it from being renamed.
    func setAside() async throws {
        try await Self.perform { [self] in _ = try Self.check(rename(path, damagedPath)) }
    }

    /// Puts the state in place of the file.
    ///
    /// - Throws: what keeps it from being written; the old file is there then.
    func save(_ state: PersistedState) async throws {
        try await Self.perform { [self] in
            try Self.writeFile(state.encoded, to: newPath)
            try Self.check(rename(newPath, path))
            try Self.flushFolder(of: path)
        }
    }

    private static func perform<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result { try work() }) }
        }
    }

    private static func size(of path: String) throws -> Int {
        let file = try check(open(path, O_RDONLY | O_CLOEXEC))
        defer { close(file) }
        return Int(lseek(file, 0, SEEK_END))
    }

    private static func writeFile(_ bytes: [UInt8], to path: String) throws {
        // What is there is of a save that did not end, or somebody's link to a file that is none of ours.
        unlink(path)
        let file = try check(open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600))
        defer { close(file) }
        var rest = bytes
        while !rest.isEmpty {
            let count = write(file, rest, rest.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
            rest.removeFirst(count)
        }
        try check(fsync(file))
    }

    /// Makes a rename last.
    private static func flushFolder(of path: String) throws {
        let folder = URL(filePath: path).deletingLastPathComponent().path
        let descriptor = try check(open(folder, O_RDONLY | O_CLOEXEC))
        defer { close(descriptor) }
        try check(fsync(descriptor))
    }

    @discardableResult
    private static func check(_ result: Int32) throws -> Int32 {
        guard result >= 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        return result
    }
}
