/// A workflow as boxes and arrows: what a drawing of a signature shows.
///
/// Pure, and bounded: a signature may come from anybody.
struct WorkflowGraph: Sendable, Hashable {
    /// A task.
    struct Node: Sendable, Hashable {
        let label: String
        /// The frame that it stands in.
        let frame: Int?
    }

    /// What is drawn around the members of a group and the header of a chord.
    struct Frame: Sendable, Hashable {
        let label: String
        /// The frame that it stands in.
        let parent: Int?
    }

    /// An arrow.
    struct Edge: Sendable, Hashable {
        let from: Int
        let to: Int
        /// What it means; nil for the order of running.
        let label: String?
    }

    /// What keeps a signature from being drawn.
    struct TooLarge: Error, Hashable, CustomStringConvertible {
        let description: String
    }

    /// The most tasks that are drawn.
    static let mostNodes = 10_000
    /// The most arrows that are drawn.
    static let mostEdges = 50_000

    private(set) var nodes: [Node] = []
    private(set) var frames: [Frame] = []
    private(set) var edges: [Edge] = []

    mutating func add(_ node: Node) throws(TooLarge) -> Int {
        guard nodes.count < Self.mostNodes else {
            throw TooLarge(description: "the workflow has more than \(Self.mostNodes) tasks")
        }
        nodes.append(node)
        return nodes.count - 1
    }

    mutating func add(_ frame: Frame) throws(TooLarge) -> Int {
        guard frames.count < Self.mostNodes else {
            throw TooLarge(description: "the workflow has more than \(Self.mostNodes) groups")
        }
        frames.append(frame)
        return frames.count - 1
    }

    /// Adds an arrow from each of some tasks to each of others.
    mutating func connect(_ from: [Int], _ to: [Int], _ label: String? = nil) throws(TooLarge) {
        guard from.count.multipliedReportingOverflow(by: to.count).partialValue <= Self.mostEdges - edges.count else {
            throw TooLarge(description: "the drawing has more than \(Self.mostEdges) arrows")
        }
        for start in from {
            for end in to { edges.append(Edge(from: start, to: end, label: label)) }
        }
    }
}
