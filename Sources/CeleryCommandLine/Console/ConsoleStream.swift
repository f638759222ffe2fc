#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// A file descriptor that text goes to: standard output or standard error.
struct ConsoleStream: Sendable {
    let descriptor: Int32

    init(descriptor: Int32) {
        self.descriptor = descriptor
    }

    /// Results of commands, and the banner.
    static let output = ConsoleStream(descriptor: STDOUT_FILENO)
    /// Log lines and complaints.
    static let error = ConsoleStream(descriptor: STDERR_FILENO)

    /// Whether a person sits at the other end.
    var isTerminal: Bool { isatty(descriptor) == 1 }

    /// Writes a line.
    func writeLine(_ text: String) {
        write(Array((text + "\n").utf8))
    }

    /// Writes all bytes; where the other end has gone they are lost, as there is no place left to tell it.
    func write(_ bytes: [UInt8]) {
        var rest = bytes
        while !rest.isEmpty {
            let written = systemWrite(rest)
            if written > 0 {
                rest.removeFirst(written)
            } else if errno == EAGAIN {
                var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&request, 1, -1)
            } else if errno != EINTR {
                return
            }
        }
    }

    private func systemWrite(_ bytes: [UInt8]) -> Int {
        #if canImport(Glibc)
        Glibc.write(descriptor, bytes, bytes.count)
        #elseif canImport(Musl)
        Musl.write(descriptor, bytes, bytes.count)
        #else
        Darwin.write(descriptor, bytes, bytes.count)
        #endif
    }
}
