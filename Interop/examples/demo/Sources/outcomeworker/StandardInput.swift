#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The standard input, line by line, without a thread that waits for it.
enum StandardInput {
    static var lines: AsyncStream<String> {
        AsyncStream { continuation in
            let reader = Task {
                var rest: [UInt8] = []
                while !Task.isCancelled {
                    guard let bytes = read() else { break }
                    rest += bytes
                    while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                        continuation.yield(String(decoding: rest[..<end], as: UTF8.self))
                        rest.removeSubrange(...end)
                    }
                    try? await Task.sleep(for: .milliseconds(20))
                }
                continuation.finish()
            }
            continuation.onTermination = { _ in reader.cancel() }
        }
    }

    /// What has come; nil at the end.
    private static func read() -> [UInt8]? {
        var descriptor = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
        guard poll(&descriptor, 1, 0) > 0 else { return [] }
        var buffer = [UInt8](repeating: 0, count: 4096)
        #if canImport(Glibc)
        let count = Glibc.read(STDIN_FILENO, &buffer, buffer.count)
        #elseif canImport(Musl)
        let count = Musl.read(STDIN_FILENO, &buffer, buffer.count)
        #else
        let count = Darwin.read(STDIN_FILENO, &buffer, buffer.count)
        #endif
        return count > 0 ? Array(buffer.prefix(count)) : nil
    }
}
