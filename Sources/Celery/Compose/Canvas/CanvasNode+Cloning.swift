internal import OrderedCollections

extension CanvasNode {
    /// Options that nobody who applies a signature may change: what completes a group rests on them
    /// (`Signature._IMMUTABLE_OPTIONS`).
    private static let kept: Set<String> = ["group_id", "stamped_headers"]

    /// The options with others that win over them, apart from the group and the stamps (`Signature._merge`).
    func merged(with others: CanvasOptions) -> CanvasOptions {
        if others.isEmpty { return options }
        var kept = Self.kept
        if let names = options["stamped_headers"]?.plain?.arrayValue {
            kept.formUnion(names.lazy.compactMap { $0.stringValue })
        }
        var merged = options
        for (key, value) in others where options[key] == nil || !kept.contains(key) { merged[key] = value }
        return merged
    }

    /// A copy with further arguments in front, and with options that win (`Signature.clone`).
    ///
    /// Steps of chains and bodies of chords are copied too; the members of groups are shared.
    func clone(
        args: [JSONValue] = [],
        kwargs: JSONObject = [:],
        options: CanvasOptions = [:]
    ) throws(CeleryError) -> CanvasNode {
        let takesArguments = !immutable && (kind == .task || kind == .chord)
        return try CanvasNode(
            kind: kind,
            task: task,
            args: takesArguments && !args.isEmpty ? args + self.args : self.args,
            kwargs: takesArguments && !kwargs.isEmpty ? self.kwargs.merging(kwargs) { _, new in new } : self.kwargs,
            options: merged(with: options),
            immutable: immutable,
            extra: extra,
            subtaskType: subtaskType,
            declared: declared,
            tasks: try clonedTasks(),
            body: try body?.clone(),
            policy: policy
        )
    }

    private func clonedTasks() throws(CeleryError) -> [CanvasNode] {
        switch kind {
        case .task: return []
        case .group: return tasks
        case .chain: return try Self.cloned(tasks)
        case .chord:
            if let header { return header.tasks }
            return try Self.cloned(tasks)
        }
    }

    private static func cloned(_ nodes: [CanvasNode]) throws(CeleryError) -> [CanvasNode] {
        var clones: [CanvasNode] = []
        clones.reserveCapacity(nodes.count)
        for node in nodes { clones.append(try node.clone()) }
        return clones
    }

    /// A copy that shares nothing that linking changes (`celery.canvas._clone_with_members`).
    func clonedWithMembers() throws(CeleryError) -> CanvasNode {
        let clone = try clone()
        if kind == .group {
            var members: [CanvasNode] = []
            for member in clone.tasks { members.append(try member.clonedWithMembers()) }
            clone.tasks = members
        }
        if let body = clone.body { clone.body = try body.clonedWithMembers() }
        return clone
    }

    /// A group of one member as that member (`celery.canvas.maybe_unroll_group`).
    var unrolledIfSingle: CanvasNode { kind == .group && tasks.count == 1 ? tasks[0] : self }

    /// Copies of a chain's tasks, with its links on the last and its errbacks on all (`_chain.unchain_tasks`).
    func unchained() throws(CeleryError) -> [CanvasNode] {
        let tasks = try Self.cloned(tasks)
        try tasks.last?.link(all: options.list("link"))
        try Self.linkError(all: options.list("link_error"), to: tasks)
        return tasks
    }

    /// Whether this is a chain whose first step is no group (`celery.canvas._is_chain_led_by_task`).
    var isChainLedByTask: Bool {
        guard kind == .chain, let first = tasks.first else { return false }
        return first.kind != .group
    }

    /// Options of a chain that do not go on to its first task.
    private static let chainOptions: Set<String> = [
        "chord", "group_id", "group_index", "link", "link_error", "parent_id", "root_id", "task_id",
    ]

    /// A chord with the first task of its body alone, followed by the rest of the body (`_chord._unroll_body`).
    func unrolledBody() throws(CeleryError) -> [CanvasNode] {
        let chord = try clone()
        guard let body = chord.body else { return [chord] }
        var rest = try body.unchained()
        chord.body = try rest.removeFirst().clone(options: body.options.filter { !Self.chainOptions.contains($0.key) })
        return [chord] + rest
    }

    /// Splits the bodies of the chords in a chain off them, in place (`_chain._unroll_chords`).
    func unrollChords() throws(CeleryError) {
        var pending: [CanvasNode] = tasks.reversed()
        var unrolled: [CanvasNode] = []
        while var task = pending.popLast() {
            if task.kind == .chain {
                task = try task.clone()
                try task.unrollChords()
            }
            if task.kind == .chord, task.body?.isChainLedByTask == true {
                pending.append(contentsOf: try task.unrolledBody().reversed())
            } else {
                unrolled.append(task)
            }
        }
        tasks = unrolled
    }

    /// Takes the bodies off the header tasks of chords that wait for their turn, since they hold the body already
    /// (`celery.canvas._strip_chord_header_links`).
    func stripHeaderLinks() {
        switch kind {
        case .task: return
        case .chain, .group: for task in tasks { task.stripHeaderLinks() }
        case .chord:
            let members = headerTasks
            header?.options["chord"] = nil
            for task in members {
                task.clearChord()
                task.stripHeaderLinks()
            }
            body?.stripHeaderLinks()
        }
    }

    private func clearChord() {
        options["chord"] = nil
        switch kind {
        case .task: return
        case .group: for task in tasks { task.clearChord() }
        case .chain: tasks.last?.clearChord()
        case .chord: body?.clearChord()
        }
    }
}
