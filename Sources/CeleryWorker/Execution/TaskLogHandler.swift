import CeleryProtocol
import Logging

/// Adds the task's id and name to every line that a task logs.
///
/// They are put together only when a line is written.
struct TaskLogHandler: LogHandler {
    /// Metadata keys of log lines.
    enum Key {
        static let id = "task_id"
        static let name = "task_name"
    }

    private var base: any LogHandler
    private let envelope: TaskEnvelope

    init(base: any LogHandler, envelope: TaskEnvelope) {
        self.base = base
        self.envelope = envelope
    }

    func log(event: LogEvent) {
        var event = event
        event.metadata = (event.metadata ?? [:]).merging(identity) { given, _ in given }
        base.log(event: event)
    }

    private var identity: Logger.Metadata {
        [Key.id: .string(envelope.headers.id), Key.name: .string(envelope.headers.displayName)]
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { base[metadataKey: key] }
        set { base[metadataKey: key] = newValue }
    }

    var metadata: Logger.Metadata {
        get { base.metadata }
        set { base.metadata = newValue }
    }

    var logLevel: Logger.Level {
        get { base.logLevel }
        set { base.logLevel = newValue }
    }

    var metadataProvider: Logger.MetadataProvider? {
        get { base.metadataProvider }
        set { base.metadataProvider = newValue }
    }
}
