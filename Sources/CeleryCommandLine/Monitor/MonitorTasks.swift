import Celery

/// Draws the list of tasks.
struct MonitorTasks {
    let monitor: Monitor
    let columns: Int

    private static let timeWidth = 8
    private static let stateWidth = 9
    private static let runtimeWidth = 9

    /// Columns of id, worker and name; the id has what the others can spare, as in Celery's monitor.
    private var widths: (id: Int, worker: Int, name: Int) {
        let room = max(12, columns - 2 - Self.timeWidth - Self.stateWidth - Self.runtimeWidth - 5)
        let id = min(36, max(8, room - 16 - 15))
        let rest = max(2, room - id)
        return (id, rest / 2, rest - rest / 2)
    }

    var head: ScreenLine {
        ScreenLine(
            "  " + columnsText("UUID", "WORKER", "TASK", "TIME") + " "
                + DisplayText.fitted("STATE", to: Self.stateWidth) + " RUNTIME",
            .strong
        )
    }

    /// The tasks of a window of this height.
    func lines(height: Int) -> [ScreenLine] {
        monitor.window(height).map(line)
    }

    private func line(_ task: ClusterTask) -> ScreenLine {
        let isSelected = task.id == monitor.selectedTask
        let text = columnsText(
            task.id,
            task.worker ?? task.client ?? "*NONE*",
            task.name ?? "-",
            task.timestamp.map(ClockText.time) ?? ""
        )
        var line = ScreenLine((isSelected ? "> " : "  ") + text + " ")
        line.append(DisplayText.fitted(task.state.name, to: Self.stateWidth), Self.look(task.state))
        line.append(" " + (task.runtime.map { NumberText.fixed($0, digits: 3) + " s" } ?? ""))
        return isSelected && monitor.pane == .tasks ? line.fitted(to: columns, .inverse) : line
    }

    private func columnsText(_ id: String, _ worker: String, _ name: String, _ time: String) -> String {
        let widths = widths
        return [
            DisplayText.fitted(DisplayText.plain(id), to: widths.id),
            DisplayText.fitted(DisplayText.plain(worker), to: widths.worker),
            DisplayText.fitted(DisplayText.plain(name), to: widths.name),
            DisplayText.fitted(time, to: Self.timeWidth),
        ].joined(separator: " ")
    }

    private static func look(_ state: TaskState) -> ScreenLine.Look {
        switch state {
        case .success: .good
        case .failure, .revoked, .rejected: .bad
        case .started: .busy
        case .retry, .pending, .received: .waiting
        case .ignored, .custom: .name
        }
    }
}

/// Numbers as texts.
enum NumberText {
    /// A number with so many digits behind the point.
    static func fixed(_ number: Double, digits: Int) -> String {
        guard number.isFinite, abs(number) < 1e12 else { return "\(number)" }
        var scale = 1
        for _ in 0..<digits { scale *= 10 }
        let whole = Int((abs(number) * Double(scale)).rounded())
        let fraction = String(whole % scale)
        let padding = String(repeating: "0", count: digits - fraction.count)
        return (number < 0 && whole > 0 ? "-" : "") + "\(whole / scale)" + (digits > 0 ? "." + padding + fraction : "")
    }
}
