/// A graph in the language of Mermaid.
struct MermaidText {
    let graph: WorkflowGraph

    /// The text.
    var text: String {
        let contents = FrameContents(of: graph)
        var lines = ["flowchart LR"]
        write(nil, contents, indent: "  ", to: &lines)
        for edge in graph.edges {
            let arrow = edge.label.map { "-. \($0) .->" } ?? "-->"
            lines.append("  n\(edge.from) \(arrow) n\(edge.to)")
        }
        return lines.joined(separator: "\n")
    }

    private func write(_ frame: Int?, _ contents: FrameContents, indent: String, to lines: inout [String]) {
        for node in contents.nodes(in: frame) {
            lines.append("\(indent)n\(node)[\"\(Self.escaped(graph.nodes[node].label))\"]")
        }
        for inner in contents.frames(in: frame) {
            lines.append("\(indent)subgraph f\(inner)[\"\(graph.frames[inner].label)\"]")
            write(inner, contents, indent: indent + "  ", to: &lines)
            lines.append("\(indent)end")
        }
    }

    /// Mermaid has entities and no escapes.
    private static func escaped(_ label: String) -> String {
        GraphFormat.shown(label).reduce(into: "") { text, character in
            switch character {
            case "\"": text += "#quot;"
            case "#": text += "#35;"
            case "&": text += "#amp;"
            case "<": text += "#lt;"
            case ">": text += "#gt;"
            case "`": text += "#96;"
            default: text.append(character)
            }
        }
    }
}
