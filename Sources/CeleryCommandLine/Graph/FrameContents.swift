/// What stands in which frame of a graph.
struct FrameContents {
    private var nodes: [Int?: [Int]] = [:]
    private var frames: [Int?: [Int]] = [:]

    init(of graph: WorkflowGraph) {
        for (index, node) in graph.nodes.enumerated() { nodes[node.frame, default: []].append(index) }
        for (index, frame) in graph.frames.enumerated() { frames[frame.parent, default: []].append(index) }
    }

    /// The tasks of a frame, or those outside of all.
    func nodes(in frame: Int?) -> [Int] { nodes[frame] ?? [] }

    /// The frames in a frame, or those outside of all.
    func frames(in frame: Int?) -> [Int] { frames[frame] ?? [] }
}
