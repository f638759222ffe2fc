internal import OrderedCollections

extension TaskComposer {
    /// Makes the message of a chain: its first task, which carries the others with it (`celery.canvas._chain.run`).
    ///
    /// - Parameters:
    ///   - steps: the steps in the order of running.
    ///   - arguments: positional arguments that stand before the first step's own.
    ///   - options: `taskID`, the group and the chord belong to the last task, `link` too, `linkError` to all; everything
    ///     else to the first.
    ///   - context: who sends, and when.
    package func compose(
        chain steps: [Signature],
        prepending arguments: [JSONValue] = [],
        options: TaskOptions = TaskOptions(),
        context: SendContext
    ) throws(CeleryError) -> Composition {
        let steps = try Self.flattened(steps)
        guard let first = steps.first else { throw CeleryError(.invalidSignature, "a chain has no tasks") }
        if steps.count == 1, first.subtaskType == "group" {
            return try compose(first, prepending: arguments, options: options, context: context)
        }
        var frozen = try freeze(steps, options: options, context: context)
        // The first step's id; the others travel with it, the next one last.
        let (leading, lineage) = (frozen.signatures.removeLast(), frozen.ids)
        var own = options
        own.taskID = nil
        own.link = []
        own.linkError = []
        own.groupID = nil
        own.groupIndex = nil
        own.chord = nil
        own.chain = (options.chain ?? []) + frozen.signatures.map(\.wire.json)
        let task = try composeTask(leading, prepending: arguments, options: own, context: context)
        return Composition(tasks: [task], lineage: lineage, endsInGroup: steps.last?.subtaskType == "group")
    }

    /// The steps with nested chains spliced in; groups of one member become that member, empty ones are dropped.
    static func flattened(_ steps: [Signature]) throws(CeleryError) -> [Signature] {
        var flat: [Signature] = []
        var pending: [Signature] = steps.reversed()
        var emptyGroup: Signature?
        while let step = pending.popLast() {
            if let error = step.encodingError { throw error }
            switch step.subtaskType {
            case "chain":
                pending.append(contentsOf: try unchained(step).reversed())
            case "group":
                let members = try members(of: step.wire)
                if members.count == 1 {
                    pending.append(members[0])
                } else if members.isEmpty {
                    emptyGroup = step
                } else {
                    flat.append(step)
                }
            case "chord":
                throw chordsUnsupported
            default:
                flat.append(step)
            }
        }
        if flat.isEmpty, let emptyGroup { return [emptyGroup] }
        if flat.dropLast().contains(where: { $0.subtaskType == "group" }) { throw chordsUnsupported }
        return flat
    }

    /// A nested chain's tasks, with its links on the last and its errbacks on all (`_chain.unchain_tasks`).
    private static func unchained(_ chain: Signature) throws(CeleryError) -> [Signature] {
        var tasks = try members(of: chain.wire)
        if let link = chain.options["link"], !link.isNull, let last = tasks.indices.last {
            tasks[last].wire.appendOption(.link, link)
        }
        if let errbacks = chain.options["link_error"], !errbacks.isNull {
            for index in tasks.indices { tasks[index].wire.appendOption(.linkError, errbacks) }
        }
        return tasks
    }

    /// Steps with their ids, in reverse order as they travel.
    private struct FrozenSteps {
        var signatures: [Signature] = []
        /// First to last.
        var ids: [String] = []
    }

    /// Gives every step its id and reply queue, last to first (`_chain.prepare_steps`).
    private func freeze(
        _ steps: [Signature],
        options: TaskOptions,
        context: SendContext
    ) throws(CeleryError) -> FrozenSteps {
        var frozen = FrozenSteps()
        let link = try Self.links(options.link)
        let errbacks = try Self.links(options.linkError)
        for (index, step) in steps.enumerated().reversed() {
            let isLast = index == steps.count - 1
            var step = index == 0 ? step : step.embedded
            if step.subtaskType == "group" {
                frozen.ids.append(try freezeGroup(&step, options: options, context: context))
            } else {
                frozen.ids.append(step.wire.freeze(isLast ? options : nil, rootID: options.rootID, context: context))
            }
            if let errbacks { step.wire.appendOption(.linkError, errbacks) }
            if isLast, let link { step.wire.appendOption(.link, link) }
            frozen.signatures.append(step)
        }
        frozen.ids.reverse()
        return frozen
    }

    private static func links(_ links: [Signature]) throws(CeleryError) -> JSONValue? {
        if links.isEmpty { return nil }
        if let error = links.lazy.compactMap(\.encodingError).first { throw error }
        return .array(links.map(\.json))
    }

    /// Freezes a group that ends a chain: the group's id, then the members' (`group._freeze_group_tasks`).
    private func freezeGroup(
        _ group: inout Signature,
        options: TaskOptions,
        context: SendContext
    ) throws(CeleryError) -> String {
        let id = group.options["task_id"]?.stringValue ?? context.makeID()
        group.wire.options["task_id"] = .string(id)
        if let groupID = options.groupID { group.wire.options["group_id"] = .string(groupID) }
        if let chord = options.chord { group.wire.options["chord"] = chord }
        if let index = options.groupIndex { group.wire.options["group_index"] = .int(index) }
        group.wire.setDefault("root_id", options.rootID.map(JSONValue.string) ?? .null)
        group.wire.setDefault("parent_id", .null)
        var members: [JSONValue] = []
        for member in try Self.flattenedMembers(of: group.wire) {
            var frozen = member.wire
            var own = TaskOptions()
            own.groupID = options.groupID
            own.chord = options.chord
            own.groupIndex = members.count
            _ = frozen.freeze(own, rootID: group.options["root_id"]?.stringValue, context: context)
            members.append(frozen.json)
        }
        group.wire.kwargs["tasks"] = .array(members)
        return id
    }
}
