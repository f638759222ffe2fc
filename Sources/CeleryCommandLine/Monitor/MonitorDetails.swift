import Celery

/// All that events have told of a task, in lines.
enum MonitorDetails {
    /// What is shown first, in this order.
    private static let leading = [
        "name", "args", "kwargs", "result", "exception", "runtime", "retries", "eta", "expires",
    ]

    static func text(_ task: ClusterTask) -> String {
        var lines = [line("state", task.state.name), line("worker", task.worker ?? "-")]
        if let client = task.client { lines.append(line("client", client)) }
        let times = task.times.sorted { ($0.value, $0.key) < ($1.value, $1.key) }
        lines += times.map { line($0.key, ClockText.dateAndTime($0.value)) }
        lines += leading.compactMap { name in task.fields[name].flatMap { shown($0) }.map { line(name, $0) } }
        for (name, value) in task.fields where !leading.contains(name) && name != "traceback" {
            if let value = shown(value) { lines.append(line(name, value)) }
        }
        if let traceback = task.traceback { lines += ["", traceback] }
        return lines.joined(separator: "\n")
    }

    private static func shown(_ value: JSONValue) -> String? {
        value.isNull ? nil : value.stringValue ?? PythonRepr.repr(value)
    }

    private static func line(_ name: String, _ value: String) -> String {
        DisplayText.padded("\(name):", to: 14) + value
    }
}
