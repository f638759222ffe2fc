#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// A file that a command reads whole, or the standard input.
struct InputFile {
    /// More is not read.
    static let mostBytes = 64 << 20

    /// The file; nil or `-` for the standard input.
    let path: String?

    /// The bytes of the file.
    ///
    /// - Throws: `CommandFailure` where it cannot be read, or is too large.
    func read() throws -> [UInt8] {
        guard let path, path != "-" else { return try Self.read(0, "the standard input") }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Self.failure("'\(path)'") }
        defer { close(descriptor) }
        return try Self.read(descriptor, "'\(path)'")
    }

    private static func read(_ descriptor: Int32, _ name: String) throws -> [UInt8] {
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = systemRead(descriptor, &part)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failure(name) }
            if count == 0 { return bytes }
            bytes += part[..<count]
            guard bytes.count <= mostBytes else {
                throw CommandFailure("Cannot read \(name): it has more than \(mostBytes >> 20) MiB", status: .usage)
            }
        }
    }

    private static func failure(_ name: String) -> CommandFailure {
        CommandFailure("Cannot read \(name): \(String(cString: strerror(errno)))", status: .usage)
    }
}

/// Out of the type, whose own method has the name.
private func systemRead(_ descriptor: Int32, _ part: inout [UInt8]) -> Int { read(descriptor, &part, part.count) }
