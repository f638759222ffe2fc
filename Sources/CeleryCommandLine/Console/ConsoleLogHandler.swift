public import Logging
import Synchronization

/// Writes log lines to standard error, or to a file, in Celery's format.
///
/// Lines of concurrent tasks never mix. Put it in place with ``bootstrap(_:)``; the commands do
/// so by itself, see ``CeleryApplication/bootstrapLogging(_:)``.
public struct ConsoleLogHandler: LogHandler {
    /// Lines below this level are left out.
    public var logLevel: Logger.Level
    /// What every line of the logger carries.
    public var metadata: Logger.Metadata = [:]
    /// What is added from the context of a line.
    public var metadataProvider: Logger.MetadataProvider?

    private let sink: Sink

    /// What the handlers of one process share.
    private final class Sink: Sendable {
        private struct State {
            var timestamp = LogTimestamp()
            var buffer: [UInt8] = []
        }

        private let destination: LogDestination
        private let format: LogLine
        private let state = Mutex(State())

        init(destination: LogDestination, format: LogLine) {
            self.destination = destination
            self.format = format
        }

        func write(_ event: LogEvent, metadata: Logger.Metadata) {
            state.withLock { state in
                state.buffer.removeAll(keepingCapacity: true)
                format.append(
                    level: event.level,
                    message: event.message.description,
                    metadata: metadata,
                    error: event.error,
                    at: LogTimestamp.now(),
                    with: &state.timestamp,
                    to: &state.buffer
                )
                destination.write(state.buffer)
            }
        }
    }

    private init(level: Logger.Level, metadataProvider: Logger.MetadataProvider?, sink: Sink) {
        logLevel = level
        self.metadataProvider = metadataProvider
        self.sink = sink
    }

    /// A factory whose handlers share one destination; made for tests with a stream of their own.
    static func factory(
        level: Logger.Level,
        isColored: Bool,
        stream: ConsoleStream = .error
    ) -> @Sendable (String, Logger.MetadataProvider?) -> any LogHandler {
        factory(level: level, format: LogLine(isColored: isColored), destination: .stream(stream))
    }

    private static func factory(
        level: Logger.Level,
        format: LogLine,
        destination: LogDestination
    ) -> @Sendable (String, Logger.MetadataProvider?) -> any LogHandler {
        let sink = Sink(destination: destination, format: format)
        return { _, provider in ConsoleLogHandler(level: level, metadataProvider: provider, sink: sink) }
    }

    /// Makes this the process's log; call it once, before the first logger is made.
    ///
    /// - Parameters:
    ///   - level: Lines below this level are left out.
    ///   - isColored: Whether warnings and errors have Celery's colours.
    public static func bootstrap(level: Logger.Level, isColored: Bool) {
        LoggingSystem.bootstrap(factory(level: level, isColored: isColored), metadataProvider: nil)
    }

    /// Makes this the process's log, as the command line wants it: in the file of `--logfile`, or on standard error.
    ///
    /// Call it once, before the first logger is made.
    public static func bootstrap(_ options: LoggingOptions) {
        let destination: LogDestination = options.logFile.map { .file($0) } ?? .stream(.error)
        LoggingSystem.bootstrap(
            factory(
                level: options.level,
                format: LogLine(isColored: options.isColored, processName: options.processName),
                destination: destination
            ),
            metadataProvider: nil
        )
    }

    /// One entry of the logger's metadata.
    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Writes one line.
    public func log(event: LogEvent) {
        var merged = metadata
        if let provided = metadataProvider?.get(), !provided.isEmpty { merged.merge(provided) { $1 } }
        if let own = event.metadata, !own.isEmpty { merged.merge(own) { $1 } }
        sink.write(event, metadata: merged)
    }
}
