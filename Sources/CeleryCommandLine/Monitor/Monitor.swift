import Celery

/// What a live view of a fleet shows, and what keys do to it: a value without a terminal, a broker or a clock.
struct Monitor: Sendable {
    /// Which list the keys move in.
    enum Pane: Sendable, Hashable {
        case tasks, workers
    }

    /// What is in front.
    enum Mode: Sendable, Hashable {
        case lists
        /// A text to be read.
        case page(Page)
        /// A question that `y` answers.
        case question(String, Action)
        /// A line that is typed.
        case prompt(Prompt, String)
    }

    /// What a typed line is for.
    enum Prompt: Sendable, Hashable {
        case filter
        case rateLimit(task: String)
    }

    /// A text with a title, from which line on it is shown.
    struct Page: Sendable, Hashable {
        var title: String
        var text: String
        var top = 0
    }

    /// What somebody else has to do because of a key.
    enum Action: Sendable, Hashable {
        case quit
        case suspend
        case redraw
        case revoke(id: String, terminate: Bool)
        case rateLimit(task: String, limit: String)
        case inspect(worker: String)
        case enableEvents
    }

    /// Longest line that can be typed.
    private static let longestLine = 200

    var cluster = ClusterState()
    /// The broker, and how the view stands with it.
    var broker = ""
    var isConnected = false
    /// What was dropped because the view lags.
    var droppedCount = 0
    /// Events of the last second.
    private(set) var rate = 0
    var mode = Mode.lists
    var pane = Pane.tasks
    var selectedTask: String?
    var selectedWorker: String?
    var filter = ""
    /// What was done last.
    var note = ""
    /// The tasks that are shown while the list stands still.
    private(set) var frozen: [String]?
    private var lastSecond: (time: Int, events: Int) = (0, 0)

    /// Tells the time, once in a while.
    mutating func tick(now: Double) {
        let second = Int(now)
        guard second != lastSecond.time else { return }
        rate = max(0, (cluster.eventCount - lastSecond.events) / max(1, second - lastSecond.time))
        lastSecond = (second, cluster.eventCount)
    }

    /// Puts a text in front.
    mutating func show(_ title: String, _ text: String) {
        mode = .page(Page(title: title, text: text))
    }

    // MARK: Lists

    /// Whether a task is one of those to be shown.
    func isShown(_ task: ClusterTask) -> Bool {
        guard !filter.isEmpty else { return true }
        return [task.id, task.name ?? "", task.worker ?? "", task.state.name].contains { $0.contains(filter) }
    }

    /// Ids of all tasks to be shown, the latest first.
    var taskIDs: [String] {
        if let frozen { return frozen }
        var ids: [String] = []
        for task in cluster.tasks where isShown(task) { ids.append(task.id) }
        return ids
    }

    /// So many tasks around the selected one.
    func window(_ height: Int) -> [ClusterTask] {
        guard height > 0 else { return [] }
        if let frozen {
            let index = frozen.firstIndex { $0 == selectedTask } ?? 0
            let top = max(0, index - height + 1)
            return frozen.dropFirst(top).prefix(height).compactMap { cluster.task($0) }
        }
        let seeks = selectedTask.flatMap { cluster.task($0) }.map(isShown) ?? false
        var window: [ClusterTask] = []
        var isFound = !seeks
        for task in cluster.tasks where isShown(task) {
            if window.count == height {
                if isFound { break }
                window.removeFirst()
            }
            window.append(task)
            if task.id == selectedTask { isFound = true }
        }
        return window
    }

    mutating func move(by step: Int) {
        switch pane {
        case .tasks: selectedTask = Self.neighbour(of: selectedTask, in: taskIDs, step)
        case .workers: selectedWorker = Self.neighbour(of: selectedWorker, in: cluster.workers.map(\.id), step)
        }
    }

    private static func neighbour(of id: String?, in ids: [String], _ step: Int) -> String? {
        guard let index = ids.firstIndex(where: { $0 == id }) else { return step < 0 ? ids.last : ids.first }
        return ids[min(max(index + step, 0), ids.count - 1)]
    }

    mutating func togglePause() {
        frozen = frozen == nil ? taskIDs : nil
    }

    /// Takes a character of a typed line, or takes the last one away.
    mutating func edit(_ key: Key, _ prompt: Prompt, _ line: String) {
        switch key {
        case .character(let character) where line.count < Self.longestLine:
            mode = .prompt(prompt, line + String(character))
        case .backspace: mode = .prompt(prompt, String(line.dropLast()))
        default: break
        }
    }
}
