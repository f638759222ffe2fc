import Logging

/// Composes one line of the log in Celery's format: `[time: LEVEL/process] message`, metadata behind it.
///
/// Lines that a task logs have its name and id before the message, as Celery's task loggers write them:
/// `[time: LEVEL/process] name[id]: message`.
struct LogLine: Sendable {
    /// Metadata keys by which a line is known to be a task's.
    private enum TaskKey {
        static let name = "task_name"
        static let id = "task_id"
    }

    /// Whether warnings, errors and debug lines have Celery's colours.
    var isColored: Bool
    /// Stands in the place of Python's name of the process.
    var processName = "MainProcess"

    /// Appends the line with its newline.
    func append(
        level: Logger.Level,
        message: String,
        metadata: Logger.Metadata,
        error: (any Error)? = nil,
        at time: (seconds: Int, milliseconds: Int),
        with timestamp: inout LogTimestamp,
        to line: inout [UInt8]
    ) {
        line.append(UInt8(ascii: "["))
        timestamp.append(time, to: &line)
        line.append(contentsOf: ": ".utf8)
        line.append(contentsOf: Self.name(of: level).utf8)
        line.append(UInt8(ascii: "/"))
        line.append(contentsOf: processName.utf8)
        line.append(contentsOf: "] ".utf8)
        let color = isColored ? Self.color(of: level) : nil
        if let color { line.append(contentsOf: color.utf8) }
        let isTasks = appendTask(metadata, to: &line)
        Self.append(message, keepingLines: true, to: &line)
        if color != nil { line.append(contentsOf: "\u{1B}[0m".utf8) }
        append(metadata, withoutTask: isTasks, to: &line)
        if let error { append(key: "error", value: String(describing: error), to: &line) }
        line.append(UInt8(ascii: "\n"))
    }

    /// Appends the task's name and id, if the line is a task's.
    private func appendTask(_ metadata: Logger.Metadata, to line: inout [UInt8]) -> Bool {
        guard !metadata.isEmpty, let name = metadata[TaskKey.name], let id = metadata[TaskKey.id] else { return false }
        Self.append(name.description, keepingLines: false, to: &line)
        line.append(UInt8(ascii: "["))
        Self.append(id.description, keepingLines: false, to: &line)
        line.append(contentsOf: "]: ".utf8)
        return true
    }

    private func append(_ metadata: Logger.Metadata, withoutTask: Bool, to line: inout [UInt8]) {
        guard !metadata.isEmpty else { return }
        for key in metadata.keys.sorted() {
            guard let value = metadata[key], !withoutTask || key != TaskKey.name && key != TaskKey.id else { continue }
            append(key: key, value: value.description, to: &line)
        }
    }

    private func append(key: String, value: String, to line: inout [UInt8]) {
        line.append(UInt8(ascii: " "))
        Self.append(key, keepingLines: false, to: &line)
        line.append(UInt8(ascii: "="))
        let isPlain = !value.isEmpty && value.utf8.allSatisfy { $0 > 0x20 && $0 != UInt8(ascii: "\"") && $0 != 0x7F }
        if isPlain {
            line.append(contentsOf: value.utf8)
        } else {
            line.append(UInt8(ascii: "\""))
            Self.append(value, keepingLines: false, quoted: true, to: &line)
            line.append(UInt8(ascii: "\""))
        }
    }

    /// Appends text with control characters escaped, so that a value from the wire can neither forge a line nor steer a
    /// terminal.
    ///
    /// A message may have several lines, a traceback for example.
    private static func append(
        _ text: String,
        keepingLines: Bool,
        quoted: Bool = false,
        to line: inout [UInt8]
    ) {
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\n"): line.append(contentsOf: keepingLines ? "\n".utf8 : "\\n".utf8)
            case UInt8(ascii: "\t"): line.append(contentsOf: keepingLines ? "\t".utf8 : "\\t".utf8)
            case 0..<0x20, 0x7F:
                line.append(contentsOf: "\\x".utf8)
                line.append(hexDigit(byte >> 4))
                line.append(hexDigit(byte & 15))
            case UInt8(ascii: "\"") where quoted, UInt8(ascii: "\\") where quoted:
                line.append(UInt8(ascii: "\\"))
                line.append(byte)
            default: line.append(byte)
            }
        }
    }

    private static func hexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }

    /// Python has no TRACE and no NOTICE: they go under the nearest level that it has.
    private static func name(of level: Logger.Level) -> String {
        switch level {
        case .trace, .debug: "DEBUG"
        case .info, .notice: "INFO"
        case .warning: "WARNING"
        case .error: "ERROR"
        case .critical: "CRITICAL"
        }
    }

    /// The colours of Celery's `ColorFormatter`.
    private static func color(of level: Logger.Level) -> String? {
        switch level {
        case .trace, .debug: "\u{1B}[1;34m"
        case .info, .notice: nil
        case .warning: "\u{1B}[1;33m"
        case .error: "\u{1B}[1;31m"
        case .critical: "\u{1B}[1;35m"
        }
    }
}
