import CeleryWorker
import FoundationEssentials

/// What SIGUSR1 makes a worker write: the tasks that run, in the place of the stacks that Celery writes.
struct RunningTaskReport: Sendable {
    /// The worker's node name.
    let node: String
    let tasks: [RunningTask]
    /// The present.
    let now: Date

    /// One line for the worker and one for each task, the oldest first.
    var text: String {
        var lines = ["\(node): \(tasks.count) running \(tasks.count == 1 ? "task" : "tasks")"]
        lines += tasks.map { "  \(line($0))" }
        return lines.joined(separator: "\n") + "\n"
    }

    private func line(_ task: RunningTask) -> String {
        var line = "\(Self.printable(task.name))[\(Self.printable(task.id))]"
        if let start = task.startedAt {
            let seconds = max(0, now.timeIntervalSince(start))
            line += " since \(Self.time(start)), \(Int(seconds)) s"
        } else {
            line += " is about to start"
        }
        if let process = task.processID { line += ", child process \(process)" }
        return line + (task.acksLate ? ", late acknowledgement" : "")
    }

    private static func time(_ date: Date) -> String {
        Date.ISO8601FormatStyle().format(date)
    }

    /// Names and ids come from messages: no control characters into the log.
    private static func printable(_ text: String) -> String {
        String(
            String.UnicodeScalarView(text.unicodeScalars.map { $0.properties.generalCategory == .control ? "?" : $0 })
        )
    }
}
