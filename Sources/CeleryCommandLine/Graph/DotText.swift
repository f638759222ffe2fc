/// A graph in the language of Graphviz.
struct DotText {
    let graph: WorkflowGraph

    /// The text.
    var text: String {
        let contents = FrameContents(of: graph)
        var lines = ["digraph workflow {", "  rankdir=LR;", "  node [shape=box];"]
        write(nil, contents, indent: "  ", to: &lines)
        for edge in graph.edges {
            let style = edge.label.map { " [style=dashed, label=\"\($0)\"]" } ?? ""
            lines.append("  n\(edge.from) -> n\(edge.to)\(style);")
        }
        lines.append("}")
        return lines.joined(separator: "\n")
    }

    private func write(_ frame: Int?, _ contents: FrameContents, indent: String, to lines: inout [String]) {
        for node in contents.nodes(in: frame) {
            lines.append("\(indent)n\(node) [label=\"\(Self.escaped(graph.nodes[node].label))\"];")
        }
        for inner in contents.frames(in: frame) {
            lines.append("\(indent)subgraph cluster_\(inner) {")
            lines.append("\(indent)  label=\"\(graph.frames[inner].label)\";")
            write(inner, contents, indent: indent + "  ", to: &lines)
            lines.append("\(indent)}")
        }
    }

    private static func escaped(_ label: String) -> String {
        GraphFormat.shown(label).reduce(into: "") { text, character in
            if character == "\"" || character == "\\" { text.append("\\") }
            text.append(character)
        }
    }
}
