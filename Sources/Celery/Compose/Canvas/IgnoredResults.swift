/// The tasks of a workflow, sent now or later, whose results do not come to the sender.
struct IgnoredResults {
    private(set) var ids: Set<String> = []
    private var collected: Set<String> = []

    /// Remembers whether a task ignores its result; what is said last counts.
    mutating func note(_ id: String, isIgnored: Bool) {
        if !collected.contains(id) { set(id, isIgnored) }
    }

    /// Remembers whether the collector passes a member's result on, which reports to it in any case.
    mutating func collect(_ id: String, isIgnored: Bool) {
        // The outermost chord comes first, and reads what the task was told.
        if collected.insert(id).inserted { set(id, isIgnored) }
    }

    private mutating func set(_ id: String, _ isIgnored: Bool) {
        if isIgnored { ids.insert(id) } else { ids.remove(id) }
    }
}

extension CanvasRun {
    /// Remembers whether a frozen signature's result is ignored.
    ///
    /// A task says so itself. What a workflow says counts, when it is applied, for each member of a group, the first step
    /// of a chain, and the body and the completing tasks of a chord.
    func noteIgnored(_ node: CanvasNode) {
        if node.kind == .task {
            if let id = node.options.text("task_id") { ignored.note(id, isIgnored: ignoresResult(node)) }
        } else if let isIgnored = node.options["ignore_result"]?.plain?.boolValue {
            noteParts(of: node, isIgnored)
        }
    }

    private func noteParts(of node: CanvasNode, _ isIgnored: Bool) {
        switch node.kind {
        case .task: if let id = node.options.text("task_id") { ignored.note(id, isIgnored: isIgnored) }
        case .chain: if let first = node.tasks.first { noteParts(of: first, isIgnored) }
        case .group: for member in node.tasks { noteParts(of: member, isIgnored) }
        case .chord:
            if let body = node.body { noteParts(of: body, isIgnored) }
            if isIgnored { noteHeader(of: node) }
        }
    }

    private func noteHeader(of chord: CanvasNode) {
        guard let header = chord.header else { return }
        for task in ChordParts(header).tasks {
            if let id = task.options.text("task_id") { ignored.note(id, isIgnored: true) }
        }
    }
}
