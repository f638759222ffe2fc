/// The tasks whose results complete a chord's header, in the order of the results.
///
/// Of a chain that is its last step, of a chord its body, of a group all of its members (`_chord._descend`).
struct ChordParts {
    /// The tasks, first to last.
    private(set) var tasks: [CanvasNode] = []
    private var shapes: [ChordManifest.Shape] = []

    /// Finds the parts of a frozen header.
    init(_ header: CanvasNode) {
        for member in header.tasks {
            if let shape = add(member) { shapes.append(shape) }
        }
    }

    /// Finds the tasks whose results are the result of a signature.
    init(of signature: CanvasNode) {
        if let shape = add(signature) { shapes.append(shape) }
    }

    /// Whether every member has one result, so that the list of results has no lists of groups in it.
    var isFlat: Bool { shapes.allSatisfy { $0 == .task } }

    /// How the results are nested; nil where they are a plain list.
    var shape: [ChordManifest.Shape]? { isFlat ? nil : shapes }

    /// The results as the body gets them.
    func shaped(_ results: [JSONValue]) -> [JSONValue] { ChordManifest.nested(results, shapes) }

    private mutating func add(_ node: CanvasNode) -> ChordManifest.Shape? {
        switch node.kind {
        case .task:
            tasks.append(node)
            return .task
        case .group:
            return .list(node.tasks.compactMap { add($0) })
        case .chord:
            return node.body.flatMap { add($0) }
        case .chain:
            for step in node.tasks.reversed() where !step.unrolledIfSingle.isEmptyGroup {
                if let shape = add(step.unrolledIfSingle) { return shape }
            }
            return nil
        }
    }
}
