import Celery

/// Draws a ``Monitor``: a screen of lines, without a terminal.
struct MonitorScreen {
    private static let keys =
        "q quit  ? help  j/k move  Tab pane  i info  r result  t traceback  c revoke  x terminate  l limit  / filter"

    let monitor: Monitor
    let size: ScreenSize
    /// Seconds since 1970.
    let now: Double

    /// Exactly as many lines as the screen has, each as wide as it.
    var lines: [ScreenLine] {
        var lines = [title.fitted(to: size.columns, .inverse)]
        switch monitor.mode {
        case .page(let page): lines += pageLines(page)
        case .lists, .question, .prompt: lines += listLines
        }
        let fitted = lines.prefix(size.rows).map { $0.fitted(to: size.columns) }
        return fitted + Array(repeating: ScreenLine().fitted(to: size.columns), count: max(0, size.rows - fitted.count))
    }

    private var title: ScreenLine {
        let workers = monitor.cluster.workers
        let alive = workers.count { $0.isAlive(at: now) }
        let parts = [
            "swcelery events", monitor.broker, monitor.isConnected ? "" : "NOT CONNECTED",
            "workers \(alive)/\(workers.count)", "tasks \(monitor.cluster.rememberedTaskCount)",
            "events \(monitor.cluster.eventCount) (\(monitor.rate)/s)",
            monitor.droppedCount > 0 ? "dropped \(monitor.droppedCount)" : "", monitor.frozen == nil ? "" : "HELD",
            monitor.filter.isEmpty ? "" : "filter '\(monitor.filter)'", ClockText.time(now),
        ]
        return ScreenLine(" " + parts.filter { !$0.isEmpty }.joined(separator: "  "))
    }

    // MARK: Lists

    private var listLines: [ScreenLine] {
        let workers = MonitorWorkers(monitor: monitor, now: now, columns: size.columns)
        let top = workers.lines(maximum: max(1, size.rows / 4))
        let bottom = footer
        let room = size.rows - 1 - top.count - 2 - bottom.count
        let tasks = MonitorTasks(monitor: monitor, columns: size.columns)
        let rows = tasks.lines(height: room)
        let filling = Array(repeating: ScreenLine(), count: max(0, room - rows.count))
        return top + [rule, tasks.head] + rows + filling + bottom
    }

    private var rule: ScreenLine { ScreenLine(String(repeating: "─", count: size.columns), .faint) }

    private var footer: [ScreenLine] { [rule, selection, status, ScreenLine(" " + Self.keys, .faint)] }

    private var selection: ScreenLine {
        guard monitor.pane == .tasks, let task = monitor.selectedTask.flatMap({ monitor.cluster.task($0) }) else {
            return ScreenLine(monitor.pane == .tasks ? " No task selected" : " Workers: i shows statistics", .faint)
        }
        var line = ScreenLine(" Selected: ", .strong)
        let parts = ["args", "kwargs", "retries", "result", "exception", "runtime", "eta"].compactMap { name in
            task.fields[name].flatMap { $0.isNull ? nil : "\(name)=\($0.stringValue ?? PythonRepr.repr($0))" }
        }
        line.append(parts.joined(separator: " "))
        return line
    }

    private var status: ScreenLine {
        switch monitor.mode {
        case .question(let text, _): return ScreenLine(" " + text, .strong)
        case .prompt(.filter, let line): return ScreenLine(" Filter: \(line)_", .strong)
        case .prompt(.rateLimit(let task), let line):
            return ScreenLine(" New rate limit for \(task): \(line)_", .strong)
        case .lists, .page: break
        }
        if !monitor.note.isEmpty { return ScreenLine(" " + monitor.note, .waiting) }
        let isSilent = monitor.cluster.rememberedTaskCount == 0 && !monitor.cluster.workers.isEmpty
        let hint = " No events of tasks yet: workers send them with -E, or after the key e"
        return ScreenLine(isSilent ? hint : "", .faint)
    }

    // MARK: Pages

    private func pageLines(_ page: Monitor.Page) -> [ScreenLine] {
        let lines = DisplayText.wrapped(page.text, to: size.columns - 2)
        let room = max(0, size.rows - 5)
        let shown = lines.dropFirst(min(page.top, max(0, lines.count - 1))).prefix(room)
        let filling = Array(repeating: ScreenLine(), count: room - shown.count)
        let last = min(page.top + room, lines.count)
        let more = lines.count > room ? "  (\(last) of \(lines.count) lines, j/k to move)" : ""
        return [ScreenLine(" " + page.title, .strong), ScreenLine()] + shown.map { ScreenLine(" " + $0) } + filling
            + [rule, ScreenLine(" Press any other key to go back\(more)", .faint)]
    }
}
