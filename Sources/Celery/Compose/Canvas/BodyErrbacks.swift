/// The errbacks that are called when a chord's body cannot run.
struct BodyErrbacks {
    /// Errbacks with the ids that they get.
    private(set) var calls: [(id: String, errbacks: [JSONValue])] = []

    /// Finds the errbacks of a frozen body (`celery.backends.base._result_errbacks`).
    init(_ body: CanvasNode) {
        if body.kind == .group {
            let own = body.options.list("link_error")
            for member in body.tasks { addErrbacks(of: member, own) }
        } else {
            addErrbacks(of: body, [])
        }
    }

    /// The errbacks of a chord are its body's, those of a group its members', those of a chain only its own.
    private mutating func addErrbacks(of node: CanvasNode, _ further: [JSONValue]) {
        guard let id = node.resultID else { return }
        var all: [JSONValue] = []
        for errback in node.resultErrbacks + further where !all.contains(errback) { all.append(errback) }
        if !all.isEmpty { calls.append((id, all)) }
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
