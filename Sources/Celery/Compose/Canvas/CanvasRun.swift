internal import AMQP
internal import OrderedCollections

/// One send of a workflow: prepares it as Celery's canvas does, and collects the messages.
///
/// The order in which signatures are cloned, frozen and applied is Celery's (`celery.canvas`), since it decides which
/// options travel with them.
final class CanvasRun {
    /// How much all messages of one send may hold together: a chord's body travels with each of its tasks.
    static let greatestSize = 256 << 20

    /// How many times signatures are frozen in one send: those of a nested workflow are at each of its levels.
    private static let greatestWork = 5_000_000

    let composer: TaskComposer
    let context: SendContext
    let collector: ChordCollector
    var results = WorkflowResults()
    var ignored = IgnoredResults()
    private(set) var manifests: [ComposedTask] = []
    private(set) var tasks: [ComposedTask] = []
    private var children: [Int] = []
    private var size = 0
    private var work = 0
    private let publishTimeout: Duration?

    init(_ composer: TaskComposer, context: SendContext, publishTimeout: Duration?) {
        self.composer = composer
        self.context = context
        self.publishTimeout = publishTimeout
        collector = ChordCollector(composer.configuration)
    }

    /// What a call adds to a signature when it is applied.
    struct Call {
        var args: [JSONValue] = []
        var kwargs: JSONObject = [:]
        var options: CanvasOptions = [:]
    }

    /// Applies a signature (`apply_async`); answers its result.
    func apply(_ node: CanvasNode, _ call: Call) throws(CeleryError) -> Int {
        switch node.kind {
        case .task: try applyTask(node, call)
        case .chain: try applyChain(node, call)
        case .group: try applyGroup(node, call)
        case .chord: try applyChord(node, call)
        }
    }

    private func applyTask(_ node: CanvasNode, _ call: Call) throws(CeleryError) -> Int {
        var merged = node.merged(with: call.options.filter { !$0.value.isNull })
        let isChild = Self.takeIsChild(&merged)
        var options = try merged.typed(writer)
        options.publishTimeout = publishTimeout
        var wire = SignatureWire(task: node.task, args: node.args, kwargs: node.kwargs, extra: node.extra)
        wire.immutable = node.immutable
        if !node.immutable { wire.kwargs.merge(call.kwargs) { _, new in new } }
        let task = try composer.composeTask(
            Signature(wire: wire, declared: node.declared),
            prepending: call.args,
            options: options,
            context: context
        )
        try count(task)
        tasks.append(task)
        ignored.note(task.id, isIgnored: task.ignoresResult)
        let result = results.add(task.id)
        if isChild { children.append(result) }
        return result
    }

    /// Remembers a result as a child of the running task.
    func addChild(_ result: Int) { children.append(result) }

    /// Adds the message that makes a chord known.
    func announce(_ manifest: ChordManifest) throws(CeleryError) {
        let announcement = collector.announcement(of: manifest)
        try count(announcement)
        manifests.append(announcement)
    }

    /// Writes the signatures of one message that is still to be added.
    var writer: SignatureWriter {
        SignatureWriter(limit: min(Self.greatestSize - size, composer.configuration.publishMaxBodySize))
    }

    private func count(_ task: ComposedTask) throws(CeleryError) {
        size += task.message.body.count
        guard size <= Self.greatestSize else {
            throw CeleryError(
                .invalidSignature,
                "the messages of the workflow are larger than \(Self.greatestSize >> 20) MiB together: the body of a chord"
                    + " travels with each of its tasks"
            )
        }
    }

    /// Counts a signature that is frozen.
    func countWork() throws(CeleryError) {
        work += 1
        guard work <= Self.greatestWork else { throw CeleryError(.invalidSignature, "the workflow is too large") }
    }

    /// Takes out whether what is applied counts as a child of the running task.
    static func takeIsChild(_ options: inout CanvasOptions) -> Bool {
        options.take("add_to_parent")?.plain?.boolValue ?? true
    }

    /// What was composed, with the result of the whole.
    func composition(_ result: Int) -> Composition {
        var composition = Composition(tasks: tasks, lineage: results.lineage(result))
        composition.manifests = manifests
        composition.ignored = ignored.ids
        composition.children = children.map { results.tuple($0) }
        if results.isGroup(result) {
            if results.parent(result) == nil {
                composition.groupID = results.id(result)
                composition.lineage = []
            } else {
                composition.endsInGroup = true
            }
        }
        if results.involvesGroup(result) { composition.result = results.tuple(result) }
        return composition
    }
}
