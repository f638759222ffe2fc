/// What a signature becomes when it is sent: one message, or several for a group.
package struct Composition: Sendable {
    /// What makes the chords among them known to their collectors; to be published, and confirmed, before the tasks.
    package var manifests: [ComposedTask] = []
    /// The messages to publish now.
    package var tasks: [ComposedTask]
    /// The ids of the last task and of the tasks before it, as far as no group is among these: first to last.
    ///
    /// The last one's result is the result of the whole: of a chord it is the body. Empty for a group, whose result is no
    /// single one.
    package var lineage: [String]
    /// The result of the whole where groups or chords have a part in it: of a chain the last task with those before it as its
    /// parents, of a group its members, of a chord its body, whose first parent is the header's group.
    ///
    /// Nil for a single task and a plain chain, of which ``lineage`` tells all. A very long line of parents is cut.
    package var result: ResultTuple?
    /// The id of the group, where the signature is one.
    package var groupID: String?
    /// Whether the last of the lineage is a group that ends a chain or is a chord's body, which has no result of its own.
    package var endsInGroup: Bool
    /// What a running task that sends this lists among its children, as Celery does: of a chain the first task, of a group
    /// the group, of a chord the header's group.
    package var children: [ResultTuple] = []
    /// The ids of tasks, sent now or later, that report no result to the sender, since they were told so.
    package var ignored: Set<String> = []

    package init(tasks: [ComposedTask], lineage: [String], groupID: String? = nil, endsInGroup: Bool = false) {
        self.tasks = tasks
        self.lineage = lineage
        self.groupID = groupID
        self.endsInGroup = endsInGroup
    }

    /// Nothing to send.
    static let none = Composition(tasks: [], lineage: [])

    /// Adds what else is sent with it; the result stays.
    mutating func add(_ other: Composition) {
        manifests += other.manifests
        tasks += other.tasks
        children += other.children
    }
}
