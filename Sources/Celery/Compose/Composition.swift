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
