import Logging

/// The values of `--loglevel`: Celery's names of the levels.
enum LogLevelName: String, CaseIterable, Sendable {
    case debug = "DEBUG"
    case info = "INFO"
    case warning = "WARNING"
    case error = "ERROR"
    case critical = "CRITICAL"
    case fatal = "FATAL"

    /// Reads a level in any mixture of cases.
    init(parsing text: String) throws {
        guard let level = Self(rawValue: text.uppercased()) else {
            let names = Self.allCases.map { "'\($0.rawValue)'" }.joined(separator: ", ")
            throw OptionError("'\(text)' is not one of \(names)")
        }
        self = level
    }

    /// The level of swift-log.
    ///
    /// FATAL is another word for CRITICAL, as in Python.
    var level: Logger.Level {
        switch self {
        case .debug: .debug
        case .info: .info
        case .warning: .warning
        case .error: .error
        case .critical, .fatal: .critical
        }
    }
}
