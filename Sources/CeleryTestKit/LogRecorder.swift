package import Logging
internal import Synchronization

/// Collects log lines.
package final class LogRecorder: Sendable {
    /// A line.
    package struct Line: Sendable {
        package let level: String
        package let message: String
        package let metadata: Logger.Metadata
    }

    private let recorded = Mutex<[Line]>([])

    package init() {}

    /// The lines so far.
    package var lines: [Line] { recorded.withLock { $0 } }

    /// Their texts.
    package var messages: [String] { lines.map(\.message) }

    /// A logger whose lines are collected.
    package func logger(_ level: Logger.Level = .trace) -> Logger {
        Logger(label: "test") { _ in Handler(recorder: self, logLevel: level) }
    }

    private func add(_ line: Line) { recorded.withLock { $0.append(line) } }

    private struct Handler: LogHandler {
        let recorder: LogRecorder
        var logLevel: Logger.Level
        var metadata: Logger.Metadata = [:]

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let metadata = metadata.merging(event.metadata ?? [:]) { _, new in new }
            recorder.add(Line(level: event.level.rawValue, message: event.message.description, metadata: metadata))
        }
    }
}
