/// The tasks of a signature that will never run, and the errbacks that are called for them.
struct FailedBody {
    /// The tasks, and the groups and chains that have an id of their own to fail by.
    private(set) var signatures: [CanvasNode] = []
    /// Errbacks with the ids that they get.
    private(set) var errbacks: [(id: String, errbacks: [JSONValue])] = []

    /// Finds what fails with a chord's body (`celery.backends.base._result_errbacks`).
    init(_ body: CanvasNode) {
        collect(body)
        if body.kind == .group {
            let own = body.options.list("link_error")
            for member in body.tasks { addErrbacks(of: member, own) }
        } else {
            addErrbacks(of: body, [])
        }
    }

    private mutating func collect(_ node: CanvasNode) {
        switch node.kind {
        case .task: signatures.append(node)
        case .chain, .group: for task in node.tasks { collect(task) }
        case .chord:
            for task in node.headerTasks { collect(task) }
            if let body = node.body { collect(body) }
        }
    }

    /// The errbacks of a chord are its body's, those of a group its members', those of a chain only its own.
    private mutating func addErrbacks(of node: CanvasNode, _ further: [JSONValue]) {
        guard let id = node.resultID else { return }
        var all: [JSONValue] = []
        for errback in node.resultErrbacks + further where !all.contains(errback) { all.append(errback) }
        if !all.isEmpty { errbacks.append((id, all)) }
    }
}

extension CanvasNode {
    /// The id of the result of a frozen signature.
    fileprivate var resultID: String? {
        switch kind {
        case .task, .group: options.text("task_id")
        case .chain: options.text("task_id") ?? tasks.last?.resultID
        case .chord: body?.resultID
        }
    }

    fileprivate var resultErrbacks: [JSONValue] {
        let own = options.list("link_error")
        switch kind {
        case .task, .chain: return own
        case .chord: return own + (body?.resultErrbacks ?? [])
        case .group: return own + tasks.flatMap { $0.resultErrbacks }
        }
    }
}
