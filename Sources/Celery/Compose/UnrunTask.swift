internal import OrderedCollections

/// A task that never runs, because what comes before it has failed, and whose caller has to be told.
package struct UnrunTask: Sendable, Hashable {
    /// The task's id.
    package var id: String
    /// Where its caller waits.
    package var replyTo: String
    /// The group that it belongs to.
    package var groupID: String?
    /// The task that would have sent it, where that was known.
    package var parentID: String?

    /// The tasks of frozen signatures, in their order; those of groups and of chords' headers and bodies too.
    ///
    /// Celery tells of tasks and of chords' bodies only (`celery.backends.base.Backend._fail_chain`), so that callers of
    /// groups wait for ever. A signature that cannot be read is left out.
    package static func tasks(of signatures: [JSONValue]) -> [UnrunTask] {
        signatures.flatMap { (json) -> [UnrunTask] in
            guard let signature = try? Signature(decoding: json), let node = try? CanvasNode(signature) else {
                return []
            }
            return node.unrunTasks
        }
    }

    /// The tasks of a chord's body, and of what follows it.
    init?(_ node: CanvasNode) {
        let options = node.options
        guard let id = options.text("task_id"), let replyTo = options.text("reply_to"), !replyTo.isEmpty,
            options["ignore_result"]?.plain != true
        else { return nil }
        self.id = id
        self.replyTo = replyTo
        groupID = options.text("group_id")
        parentID = options.text("parent_id")
    }
}

extension CanvasNode {
    /// The tasks whose callers wait, first to last.
    var unrunTasks: [UnrunTask] {
        switch kind {
        case .task: UnrunTask(self).map { [$0] } ?? []
        case .chain, .group: tasks.flatMap { $0.unrunTasks }
        case .chord: headerTasks.flatMap { $0.unrunTasks } + (body?.unrunTasks ?? [])
        }
    }
}
