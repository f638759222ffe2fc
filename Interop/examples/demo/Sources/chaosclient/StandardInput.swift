#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The standard input, which tells the program by its end to come to its own.
enum StandardInput {
    /// Whether the other side has closed it; what it says is passed over.
    static var hasEnded: Bool {
        var descriptor = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
        var buffer = [UInt8](repeating: 0, count: 4096)
        while poll(&descriptor, 1, 0) > 0 {
            if read(STDIN_FILENO, &buffer, buffer.count) <= 0 { return true }
        }
        return false
    }
}
