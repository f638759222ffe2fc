internal import OrderedCollections

extension CanvasRun {
    /// The steps of a chain, frozen, the last one first as they travel, with their results.
    struct PreparedSteps {
        var tasks: [CanvasNode] = []
        var results: [Int] = []
    }

    /// Sends a chain's first task, which carries the others with it (`_chain.run`).
    func applyChain(_ node: CanvasNode, _ call: Call) throws(CeleryError) -> Int {
        var options = node.options
        options.update(call.options)
        let link = options.list("link")
        let errbacks = options.list("link_error")
        var place = Place(id: options.take("task_id")?.stringValue, groupID: options.take("group_id")?.stringValue)
        place.groupIndex = options.take("group_index")?.plain?.intValue
        place.chord = options.take("chord")
        place.rootID = options.take("root_id")?.stringValue
        place.parentID = options.take("parent_id")?.stringValue
        options["link"] = nil
        options["link_error"] = nil
        let args = call.args.isEmpty || node.immutable ? node.args : call.args + node.args
        var prepared = try prepareSteps(
            of: node,
            args: args,
            kwargs: call.kwargs,
            place,
            errbacks: errbacks,
            cloning: true
        )
        guard let last = prepared.results.first, let first = prepared.tasks.popLast() else { throw Self.emptyChain }
        if !link.isEmpty {
            let linked = prepared.tasks.first ?? first
            linked.options["link"] = .value(.array(linked.options.list("link") + link))
        }
        var writer = writer
        var rest: [JSONValue] = []
        rest.reserveCapacity(prepared.tasks.count)
        for task in prepared.tasks { rest.append(try writer.json(task)) }
        options["chain"] = .value(.array(options.list("chain") + rest))
        let applied = try apply(first, Call(options: options))
        return rest.isEmpty ? applied : last
    }

    /// Freezes a chain's steps, last to first: splices nested chains in, and makes a chord of a group that something
    /// follows (`_chain.prepare_steps`).
    func prepareSteps(
        of chain: CanvasNode,
        args: [JSONValue],
        kwargs: JSONObject,
        _ place: Place,
        errbacks: [JSONValue],
        cloning: Bool
    ) throws(CeleryError) -> PreparedSteps {
        var steps = try Self.normalisedHead(chain.tasks, cloning: cloning)
        var prepared = PreparedSteps()
        var link = StepLink()
        while let step = steps.popLast() {
            var task = step.unrolledIfSingle
            let isFirst = steps.isEmpty
            if task.isEmptyGroup, !steps.isEmpty || link.task != nil { continue }
            if cloning, task.kind == .chord, task.body?.isChainLedByTask == true {
                steps.append(contentsOf: try task.unrolledBody())
                continue
            }
            if task.kind == .chain {
                // Celery leaves the links of such a chain behind.
                steps.append(contentsOf: cloning ? try task.unchained() : task.tasks)
                continue
            }
            if cloning {
                task = try isFirst ? task.clone(args: args, kwargs: kwargs) : task.clone()
            } else if isFirst, !args.isEmpty {
                task.args = args + task.args
            }
            let isLast = prepared.tasks.isEmpty && link.task == nil
            let group = task
            if task.kind == .group, let next = link.task {
                task = try upgraded(task, before: next, rootID: place.rootID, &prepared, &link)
            }
            let result = try freeze(task, isLast ? place.withoutParent : Place(rootID: place.rootID))
            // The group's members are the header's now.
            if group !== task { group.tasks = task.headerTasks }
            if link.task != nil, let next = link.result, results.parent(next) == nil {
                results.setParent(result, of: next)
            }
            try add(errbacks, to: task)
            prepared.tasks.append(task)
            prepared.results.append(result)
            link = StepLink(task: task, result: task.kind == .chord ? results.first(result) : result)
        }
        let id = prepared.results.first.map { results.id($0) } ?? place.id
        chain.options["task_id"] = id.map { .value(.string($0)) }
        if cloning {
            for task in prepared.tasks { task.stripHeaderLinks() }
        }
        return prepared
    }

    /// The step that was prepared before, which runs next, and the result that waits for its parent.
    private struct StepLink {
        var task: CanvasNode?
        var result: Int?
    }

    /// The chord of a group and the step behind it, which is taken back from what was prepared.
    private func upgraded(
        _ group: CanvasNode,
        before next: CanvasNode,
        rootID: String?,
        _ prepared: inout PreparedSteps,
        _ link: inout StepLink
    ) throws(CeleryError) -> CanvasNode {
        prepared.tasks.removeLast()
        let bodyResult = prepared.results.removeLast()
        let root: CanvasOption = .value(rootID.map { .string($0) } ?? .null)
        var options: CanvasOptions = [:]
        // The result of a group has no `task_id` in Celery.
        if let result = link.result, !results.isGroup(result) {
            options["task_id"] = .value(.string(results.id(result)))
        }
        options["root_id"] = root
        let chord = try CanvasNode.chord(of: group, body: next, options: options)
        link.task = prepared.tasks.last
        // What follows the body follows the chord's result now.
        var node = prepared.results.last
        while let found = node, results.parent(found) != bodyResult { node = results.parent(found) }
        if let found = node {
            results.setParent(nil, of: found)
            link.result = found
        }
        return chord
    }

    private func add(_ errbacks: [JSONValue], to task: CanvasNode) throws(CeleryError) {
        for errback in errbacks {
            try task.linkError(errback)
            if task.kind == .chord { try task.body?.linkError(errback) }
        }
    }

    /// The steps, with nested chains at their beginning spliced in and empty groups there left out, so that the first
    /// one gets the arguments.
    private static func normalisedHead(_ steps: [CanvasNode], cloning: Bool) throws(CeleryError) -> [CanvasNode] {
        var reversed: [CanvasNode] = steps.reversed()
        var emptyGroup: CanvasNode?
        while let head = reversed.last?.unrolledIfSingle {
            if head.kind == .chain {
                reversed.removeLast()
                reversed.append(contentsOf: (cloning ? try head.unchained() : head.tasks).reversed())
            } else if head.isEmptyGroup, reversed.count > 1 {
                emptyGroup = reversed.removeLast()
            } else {
                break
            }
        }
        if let emptyGroup, reversed.isEmpty { reversed.append(emptyGroup) }
        return reversed.reversed()
    }
}

extension CanvasRun.Place {
    /// The place of a chain's last step: who sends the chain is the parent of its first one.
    fileprivate var withoutParent: CanvasRun.Place {
        var place = self
        place.parentID = nil
        return place
    }
}
