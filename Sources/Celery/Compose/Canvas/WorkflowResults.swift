/// The results that a workflow will have: of tasks and of groups, each with what comes before it.
///
/// Flat, since a chain is a list of any length: Celery's tree of `AsyncResult` and `GroupResult` would be as deep.
struct WorkflowResults {
    /// A result.
    private struct Node {
        var id: String
        var parent: Int?
        var members: [Int]?
    }

    /// Parents that are further up than this are left out of result tuples.
    private static let greatestDepth = 24

    private var nodes: [Node] = []

    /// Adds a result of a task, or of a group with members.
    mutating func add(_ id: String, members: [Int]? = nil) -> Int {
        nodes.append(Node(id: id, parent: nil, members: members))
        return nodes.count - 1
    }

    func id(_ index: Int) -> String { nodes[index].id }
    func parent(_ index: Int) -> Int? { nodes[index].parent }
    func members(_ index: Int) -> [Int]? { nodes[index].members }
    func isGroup(_ index: Int) -> Bool { nodes[index].members != nil }

    mutating func setParent(_ parent: Int?, of index: Int) { nodes[index].parent = parent }

    /// The first of the results before this one, itself included.
    func first(_ index: Int) -> Int {
        var first = index
        while let parent = nodes[first].parent { first = parent }
        return first
    }

    /// The ids from the first task to this result, as far as there are no groups before it.
    func lineage(_ index: Int) -> [String] {
        var ids = [nodes[index].id]
        var next = nodes[index].parent
        while let parent = next, nodes[parent].members == nil {
            ids.append(nodes[parent].id)
            next = nodes[parent].parent
        }
        return ids.reversed()
    }

    /// Whether the result or one before it is a group's.
    func involvesGroup(_ index: Int) -> Bool {
        var next: Int? = index
        while let node = next {
            if nodes[node].members != nil { return true }
            next = nodes[node].parent
        }
        return false
    }

    /// The result as Celery's `as_tuple` has it.
    func tuple(_ index: Int) -> ResultTuple { tuple(index, depth: 0) }

    private func tuple(_ index: Int, depth: Int) -> ResultTuple {
        let node = nodes[index]
        let isCut = depth >= Self.greatestDepth
        return ResultTuple(
            id: node.id,
            parent: isCut ? nil : node.parent.map { tuple($0, depth: depth + 1) },
            members: node.members.map { isCut ? [] : $0.map { tuple($0, depth: depth + 1) } }
        )
    }
}
