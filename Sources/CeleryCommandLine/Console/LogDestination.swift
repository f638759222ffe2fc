/// Where lines of the log go.
enum LogDestination: Sendable {
    case stream(ConsoleStream)
    case file(LogFile)

    /// Writes whole lines.
    func write(_ bytes: [UInt8]) {
        switch self {
        case .stream(let stream): stream.write(bytes)
        case .file(let file): file.write(bytes)
        }
    }
}
