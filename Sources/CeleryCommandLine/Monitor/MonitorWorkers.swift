import Celery

/// Draws the list of workers.
struct MonitorWorkers {
    let monitor: Monitor
    let now: Double
    let columns: Int

    /// What the columns beside the name take, with a version such as "py-celery 5.7.0" uncut.
    private static let fixedColumns = 68
    /// Three load averages below 100.
    private static let loadWidth = 17

    /// On a narrow screen the name is worth more than the version at the end of the line.
    private var nameWidth: Int { max(20, min(40, columns - Self.fixedColumns)) }

    /// The head, and so many workers around the selected one.
    func lines(maximum: Int) -> [ScreenLine] {
        let workers = monitor.cluster.workers
        if workers.isEmpty { return [head, ScreenLine("  No workers discovered.", .faint)] }
        let selected = workers.firstIndex { $0.id == monitor.selectedWorker } ?? 0
        let top = max(0, selected - maximum + 1)
        let shown = workers.dropFirst(top).prefix(maximum).map(line)
        let hidden = workers.count - shown.count
        return [head] + shown + (hidden > 0 ? [ScreenLine("  … and \(hidden) more", .faint)] : [])
    }

    private var head: ScreenLine {
        ScreenLine(row("WORKER", "STATE", "ACTIVE", "DONE", "LOAD", "SEEN", "SOFTWARE"), .strong)
    }

    private func line(_ worker: ClusterWorker) -> ScreenLine {
        let isAlive = worker.isAlive(at: now)
        let text = row(
            DisplayText.plain(worker.id),
            isAlive ? "online" : "offline",
            worker.active.map(String.init) ?? "-",
            worker.processed.map(String.init) ?? "-",
            worker.loadAverages.map { NumberText.fixed($0, digits: 2) }.joined(separator: " "),
            worker.lastHeard.map { "\(max(0, Int(now - $0))) s" } ?? "-",
            [worker.software, worker.softwareVersion].compactMap { $0 }.joined(separator: " ")
        )
        let isSelected = monitor.pane == .workers && worker.id == monitor.selectedWorker
        if isSelected { return ScreenLine(">" + text.dropFirst(), .inverse) }
        return ScreenLine(text, isAlive ? .plain : .bad)
    }

    private func row(
        _ name: String,
        _ state: String,
        _ active: String,
        _ done: String,
        _ load: String,
        _ seen: String,
        _ software: String
    ) -> String {
        [
            " ", DisplayText.fitted(name, to: nameWidth), DisplayText.fitted(state, to: 7),
            DisplayText.fitted(active, to: 6), DisplayText.fitted(done, to: 8),
            DisplayText.fitted(load, to: Self.loadWidth),
            DisplayText.fitted(seen, to: 6), software,
        ].joined(separator: " ")
    }
}
