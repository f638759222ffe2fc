internal import OrderedCollections

/// A signature while a workflow is prepared: shared and changed in place, as the objects of Celery's canvas are.
///
/// Celery's rules rest on what is shared: a chord's body is an option of every header task before it gets its own id.
/// Nodes live within one call of the composer and are never shared between tasks.
final class CanvasNode {
    /// What a signature is.
    enum Kind {
        case task
        case chain
        case group
        case chord
    }

    /// How deep chains, groups and chords may be nested: a stack bears it, and readers bear its JSON.
    static let greatestDepth = 24

    let kind: Kind
    let task: String
    var args: [JSONValue]
    /// The keyword arguments; of a chord without header and body, of a chain and a group none.
    var kwargs: JSONObject
    var options: CanvasOptions
    var immutable: Bool
    let extra: JSONObject
    let subtaskType: String?
    let declared: DeclaredTask?
    /// The steps of a chain, the members of a group, the header of a chord that is not frozen.
    var tasks: [CanvasNode]
    /// The header of a frozen chord: a group.
    var header: CanvasNode?
    /// The body of a chord.
    var body: CanvasNode?
    /// What becomes of failures in the group or the chord's header, where it was said.
    var policy: GroupFailurePolicy?
    /// How many levels of workflows there are.
    let depth: Int

    init(
        kind: Kind,
        task: String,
        args: [JSONValue] = [],
        kwargs: JSONObject = [:],
        options: CanvasOptions = [:],
        immutable: Bool = false,
        extra: JSONObject = [:],
        subtaskType: String? = nil,
        declared: DeclaredTask? = nil,
        tasks: [CanvasNode] = [],
        body: CanvasNode? = nil,
        policy: GroupFailurePolicy? = nil
    ) throws(CeleryError) {
        self.kind = kind
        self.task = task
        self.args = args
        self.kwargs = kwargs
        self.options = options
        self.immutable = immutable
        self.extra = extra
        self.subtaskType = subtaskType
        self.declared = declared
        self.tasks = tasks
        self.body = body
        self.policy = policy
        let deepest = max(tasks.lazy.map { $0.depth }.max() ?? 0, body?.depth ?? 0)
        depth = kind == .task ? 0 : deepest + 1
        guard depth <= Self.greatestDepth else { throw Self.tooDeep }
    }

    static let tooDeep = CeleryError(.invalidSignature, "a workflow is nested too deep")

    /// A group of these members.
    static func group(_ tasks: [CanvasNode], options: CanvasOptions = [:]) throws(CeleryError) -> CanvasNode {
        try CanvasNode(kind: .group, task: "celery.group", options: options, subtaskType: "group", tasks: tasks)
    }

    /// A chain of these steps.
    static func chain(_ tasks: [CanvasNode], options: CanvasOptions = [:]) throws(CeleryError) -> CanvasNode {
        try CanvasNode(kind: .chain, task: "celery.chain", options: options, subtaskType: "chain", tasks: tasks)
    }

    /// A chord of a group, whose options do not count, apart from its policy (`celery.canvas._maybe_group`).
    static func chord(
        of group: CanvasNode,
        body: CanvasNode,
        options: CanvasOptions = [:]
    ) throws(CeleryError) -> CanvasNode {
        try CanvasNode(
            kind: .chord,
            task: "celery.chord",
            kwargs: ["kwargs": [:]],
            options: options,
            subtaskType: "chord",
            tasks: group.tasks,
            body: body,
            policy: group.policy
        )
    }

    /// The header's tasks of a chord.
    var headerTasks: [CanvasNode] { header?.tasks ?? tasks }

    /// Whether this is a group without members.
    var isEmptyGroup: Bool { kind == .group && tasks.isEmpty }

    /// Adds what stands behind a signature's options when it travels.
    func addDeclared(to options: inout JSONObject) {
        if let declared, declared.hasOptions { options.merge(declared.options.json) { stored, _ in stored } }
        if let policy { options.setPolicy(policy) }
    }
}
