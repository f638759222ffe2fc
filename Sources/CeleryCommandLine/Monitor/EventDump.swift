import Celery

/// Events as lines, in the format of `celery events --dump`.
///
/// Source: `celery.events.dumper.Dumper`.
struct EventDump: Sendable {
    /// Tasks whose names and arguments are remembered; Celery's number.
    private static let remembered = 0xFFF

    private static let humanTypes = [
        "worker-offline": "shutdown", "worker-online": "started", "worker-heartbeat": "heartbeat",
    ]

    private var tasks = RecentTable<String>(capacity: remembered)

    /// The line of an event; a text of several lines, such as a traceback, stays as it is.
    mutating func line(_ event: ClusterEvent) -> String {
        var fields = event.fields
        fields.removeValue(forKey: "type")
        let hostname = Self.text(fields.removeValue(forKey: "hostname"))
        let time = fields.removeValue(forKey: "timestamp")?.doubleValue.map(ClockText.python) ?? "-"
        let type = event.type.lowercased()
        let human = Self.humanTypes[type] ?? String(type.map { $0 == "-" ? " " : $0 })
        let task = type.hasPrefix("task-") ? taskText(type, &fields) + " " : ""
        let shown = fields.elements.sorted { $0.key.unicodeScalars.lexicographicallyPrecedes($1.key.unicodeScalars) }
            .map { "\($0.key)=\(Self.text($0.value))" }
        let separator = shown.isEmpty ? "" : ":"
        let line = "\(hostname) [\(time)] \(human)\(separator) \(task)\(shown.joined(separator: ", "))"
        return DisplayText.plainLines(line)
    }

    /// The task's name and arguments, which only its first events tell.
    private mutating func taskText(_ type: String, _ fields: inout JSONObject) -> String {
        let id = Self.text(fields.removeValue(forKey: "uuid"))
        guard type == "task-received" || type == "task-sent" else { return tasks[id] ?? "" }
        let name = Self.text(fields.removeValue(forKey: "name"))
        let arguments = Self.text(fields.removeValue(forKey: "args"))
        let keywords = Self.text(fields.removeValue(forKey: "kwargs"))
        let text = "\(name)(\(id)) args=\(arguments) kwargs=\(keywords)"
        tasks.update(id, fresh: text) { $0 = text }
        return text
    }

    /// A value as Python's `str` shows it.
    private static func text(_ value: JSONValue?) -> String {
        guard let value else { return "None" }
        return value.stringValue ?? PythonRepr.repr(value, maxLevels: 0, maxLength: .max)
    }
}
