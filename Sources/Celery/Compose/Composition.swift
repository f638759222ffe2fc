/// What a signature becomes when it is sent: one message, or several for a group.
package struct Composition: Sendable {
    /// What makes the chords among them known to their collectors; to be published, and confirmed, before the tasks.
    package var manifests: [ComposedTask] = []
    /// The messages to publish now.
    package var tasks: [ComposedTask]
    /// The ids of the task and, for a chain, of the tasks before it: first to last.
    ///
    /// The last one's result is the result of the whole. Empty for a group, whose result is no single one.
    package var lineage: [String]
    /// The result of the whole where groups or chords have a part in it: of a chain the last task with those before it as its
    /// parents, of a group its members, of a chord its body, whose first parent is the header's group.
    ///
    /// Nil for a single task and a plain chain, of which ``lineage`` tells all.
    package var result: ResultTuple?
    /// The id of the group, where the signature is one.
    package var groupID: String?
    /// Whether the last of the lineage is a group at the end of a chain, which has no result of its own.
    package var endsInGroup: Bool

    package init(tasks: [ComposedTask], lineage: [String], groupID: String? = nil, endsInGroup: Bool = false) {
        self.tasks = tasks
        self.lineage = lineage
        self.groupID = groupID
        self.endsInGroup = endsInGroup
    }
}
