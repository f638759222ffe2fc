import FoundationEssentials

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A file of lines that many processes add to: the time in seconds since the epoch, and words.
///
/// Each line is one write in append mode, so that lines neither mix nor get lost when a process is killed.
public struct Journal: Sendable {
    private let descriptor: Int32

    /// Opens a journal; nil where that fails.
    public init?(path: String) {
        descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o644)
        if descriptor < 0 { return nil }
    }

    /// Adds a line.
    public func write(_ words: String...) {
        let line = "\(Date().timeIntervalSince1970) \(words.joined(separator: " "))\n"
        var bytes = Array(line.utf8)[...]
        while !bytes.isEmpty {
            let written = bytes.withUnsafeBytes { Self.append($0, to: descriptor) }
            guard written > 0 else { return }
            bytes = bytes.dropFirst(written)
        }
    }

    private static func append(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Int {
        #if canImport(Glibc)
        Glibc.write(descriptor, bytes.baseAddress, bytes.count)
        #elseif canImport(Musl)
        Musl.write(descriptor, bytes.baseAddress, bytes.count)
        #else
        Darwin.write(descriptor, bytes.baseAddress, bytes.count)
        #endif
    }
}
