#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// What the worker shows when it starts, in the manner of Celery's banner.
struct Banner: Sendable {
    /// A queue that the worker consumes from.
    struct QueueLine: Sendable {
        var name: String
        var exchange: String
        var exchangeType: String
        var routingKey: String
    }

    /// The worker's node name.
    var node: String
    /// Name and version of this software.
    var version: String
    /// System and architecture.
    var platform: String
    /// Local time, `2026-01-31 13:05:09`.
    var time: String
    /// The application's name.
    var application: String
    /// The broker's URLs, with the passwords hidden.
    var transport: String
    /// Where results go.
    var results: String
    /// How many tasks run at a time.
    var concurrency: Int
    /// The pool's name.
    var pool: String
    var queues: [QueueLine]
    /// Names of the registered tasks; nil to leave the block out, as Celery does at higher log levels than INFO.
    var tasks: [String]?

    /// The text, with an empty line at the end.
    var text: String {
        var lines = [
            "",
            "\(node) \(version)",
            "",
            "\(platform) \(time)",
            "",
            "[config]",
            ".> app:         \(application)",
            ".> transport:   \(transport)",
            ".> results:     \(results)",
            ".> concurrency: \(concurrency) (\(pool))",
            ".> task events: OFF",
            "",
            "[queues]",
        ]
        lines += queues.sorted { $0.name < $1.name }.map { queue in
            let padding = String(repeating: " ", count: max(0, 16 - queue.name.count))
            return
                ".> \(queue.name)\(padding) exchange=\(queue.exchange)(\(queue.exchangeType)) key=\(queue.routingKey)"
        }
        if let tasks {
            lines += ["", "[tasks]"] + tasks.sorted().map { "  . \($0)" }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// System, kernel and architecture: `Linux-6.1.0-x86_64`.
    static func currentPlatform() -> String {
        var names = utsname()
        guard uname(&names) == 0 else { return "unknown" }
        return "\(text(of: names.sysname))-\(text(of: names.release))-\(text(of: names.machine))"
    }

    /// The present in local time, without the fraction of the second.
    static func currentTime() -> String {
        var timestamp = LogTimestamp()
        var bytes: [UInt8] = []
        timestamp.append(LogTimestamp.now(), to: &bytes)
        return String(decoding: bytes.prefix { $0 != UInt8(ascii: ",") }, as: UTF8.self)
    }

    /// Text of an array of C characters, which Swift sees as a tuple.
    private static func text<Characters>(of characters: Characters) -> String {
        let bytes = Mirror(reflecting: characters).children.lazy
            .compactMap { $0.value as? CChar }
            .prefix { $0 != 0 }
            .map { UInt8(bitPattern: $0) }
        return String(decoding: Array(bytes), as: UTF8.self)
    }
}
