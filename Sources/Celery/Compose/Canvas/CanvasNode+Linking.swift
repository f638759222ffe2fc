internal import OrderedCollections

extension CanvasNode {
    /// Adds a callback: of a group to its first member, without its result; of a chord to the body.
    func link(_ callback: JSONValue) throws(CeleryError) {
        switch kind {
        case .task, .chain: options.append("link", callback)
        case .chord: try body?.link(callback)
        case .group:
            var signature = try Signature(decoding: callback)
            signature.wire.immutable = true
            try tasks.first?.link(signature.wire.json)
        }
    }

    /// Adds several callbacks, one after the other.
    func link(all callbacks: [JSONValue]) throws(CeleryError) {
        switch kind {
        case .task, .chain: options.append("link", contentsOf: callbacks)
        case .chord: try body?.link(all: callbacks)
        case .group: for callback in callbacks { try link(callback) }
        }
    }

    /// Adds an errback: of a group to every member, of a chord to the body and to the chords among the header's tasks.
    func linkError(_ errback: JSONValue) throws(CeleryError) { try linkError(all: [errback]) }

    /// Adds several errbacks, one after the other.
    func linkError(all errbacks: [JSONValue]) throws(CeleryError) {
        switch kind {
        case .task, .chain: options.append("link_error", contentsOf: errbacks)
        case .group: try Self.linkError(all: errbacks, to: tasks)
        case .chord:
            // Tasks of a frozen header are left alone.
            if header == nil { try Self.linkError(all: errbacks, to: tasks.filter { $0.kind == .chord }) }
            try body?.linkError(all: errbacks)
        }
    }

    /// Adds errbacks to each of several signatures.
    static func linkError(all errbacks: [JSONValue], to tasks: [CanvasNode]) throws(CeleryError) {
        guard errbacks.count <= 1 || tasks.count * errbacks.count <= greatestCopies else {
            throw CeleryError(.invalidSignature, "the workflow has too many errbacks")
        }
        for task in tasks { try task.linkError(all: errbacks) }
    }

    /// Moves callbacks and errbacks out of a chord's options to a copy of its body (`_chord._add_body_callbacks`).
    func addingCallbacks(from options: inout CanvasOptions) throws(CeleryError) -> CanvasNode {
        let callbacks = options.list("link")
        let errbacks = options.list("link_error")
        options["link"] = nil
        options["link_error"] = nil
        if callbacks.isEmpty, errbacks.isEmpty { return self }
        let body = try clonedWithMembers()
        for callback in callbacks {
            if body.isEmptyGroup { body.options.append("link", callback) } else { try body.link(callback) }
        }
        for errback in errbacks {
            if body.kind == .group {
                body.linkErrorToTasks(errback, runsAsGroup: true)
            } else {
                body.options.append("link_error", errback)
            }
        }
        return body
    }

    /// Adds an errback to the tasks of a chord's body that is a group (`celery.canvas._link_error_to_body_tasks`).
    private func linkErrorToTasks(_ errback: JSONValue, runsAsGroup: Bool) {
        switch kind {
        case .task, .chain: options.append("link_error", errback)
        case .chord: body?.linkErrorToTasks(errback, runsAsGroup: true)
        case .group:
            if runsAsGroup, options.has("link_error") { return options.append("link_error", errback) }
            for task in tasks { task.linkErrorToTasks(errback, runsAsGroup: false) }
        }
    }
}

extension CanvasNode {
    /// This, followed by another one: Celery's operator `|`.
    func followed(by other: CanvasNode) throws(CeleryError) -> CanvasNode {
        let other = other.unrolledIfSingle
        switch kind {
        case .task: return try .chain([self] + (other.kind == .chain ? other.unchained() : [other]))
        case .group: return other.isEmptyGroup ? self : try .chord(of: self, body: other)
        case .chord: return try chordFollowed(by: other)
        case .chain: return try chainFollowed(by: other)
        }
    }

    /// This, followed by others one after the other.
    ///
    /// Tasks behind a task are added together: each one alone would copy all steps before it.
    func followed(byAll steps: [CanvasNode]) throws(CeleryError) -> CanvasNode {
        var joined = self
        var waiting: [CanvasNode] = []
        var copies = 0
        for step in steps {
            let step = step.unrolledIfSingle
            let last = waiting.last ?? (joined.kind == .chain && joined.options.isEmpty ? joined.tasks.last : nil)
            if step.kind == .task, last?.kind == .task {
                waiting.append(step)
                continue
            }
            joined = try joined.extended(by: waiting)
            waiting = []
            copies += joined.tasks.count
            guard copies <= Self.greatestCopies else {
                throw CeleryError(.invalidSignature, "the chain is too long")
            }
            joined = try joined.followed(by: step)
        }
        return try joined.extended(by: waiting)
    }

    /// How many steps are copied while groups and chords are added to a chain, and how many errbacks are.
    private static let greatestCopies = 1_000_000

    /// A chain with further tasks at its end.
    private func extended(by tasks: [CanvasNode]) throws(CeleryError) -> CanvasNode {
        tasks.isEmpty ? self : try .chain(unchained() + tasks)
    }

    private func chordFollowed(by other: CanvasNode) throws(CeleryError) -> CanvasNode {
        switch other.kind {
        case .chain: return try .chain([self] + other.unchained())
        case .group: return try .chain([self, other])
        case .task, .chord: return try bodyJoined(with: other)
        }
    }

    private func chainFollowed(by other: CanvasNode) throws(CeleryError) -> CanvasNode {
        if other.isEmptyGroup { return self }
        if other.kind == .chain {
            return try followed(byAll: other.unchained())
        }
        guard let last = tasks.last else { return other.kind == .group ? other : try .chain([other]) }
        let replaced: CanvasNode
        switch (last.kind, other.kind) {
        case (.chord, .group), (.chord, .task): replaced = try last.bodyJoined(with: other)
        case (.group, .task), (.group, .chord): replaced = try .chord(of: last, body: other)
        default: return try .chain(unchained() + [other])
        }
        var steps = try other.kind == .group ? unchained() : clone().tasks
        steps[steps.count - 1] = replaced
        if last.kind == .group, steps.count > 1, steps[steps.count - 2].kind == .chord {
            steps[steps.count - 2] = try steps[steps.count - 2].bodyJoined(with: replaced)
            steps.removeLast()
        }
        return try .chain(steps, options: other.kind == .group ? [:] : options)
    }

    /// A chord whose body is followed by another signature; made anew, since its depth changes.
    private func bodyJoined(with other: CanvasNode) throws(CeleryError) -> CanvasNode {
        let chord = try clone()
        return try CanvasNode(
            kind: .chord,
            task: task,
            args: args,
            kwargs: kwargs,
            options: options,
            immutable: immutable,
            extra: extra,
            subtaskType: subtaskType,
            tasks: chord.headerTasks,
            body: try chord.body?.followed(by: other) ?? other,
            policy: policy
        )
    }
}
