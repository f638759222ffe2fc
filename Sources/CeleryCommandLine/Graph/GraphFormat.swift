import ArgumentParser

/// The languages that a workflow is drawn in.
enum GraphFormat: String, CaseIterable, ExpressibleByArgument {
    /// Graphviz.
    case dot
    /// Mermaid, as Markdown viewers draw it.
    case mermaid

    /// The text of a graph.
    func text(of graph: WorkflowGraph) -> String {
        switch self {
        case .dot: DotText(graph: graph).text
        case .mermaid: MermaidText(graph: graph).text
        }
    }

    /// Names of tasks may have any length.
    static let longestLabel = 120

    /// A name as it is shown: on one line, and not too long.
    static func shown(_ label: String) -> String {
        let line = label.map { $0.isNewline || $0.isControl ? " " : $0 }
        return line.count <= longestLabel ? String(line) : String(line.prefix(longestLabel - 1)) + "…"
    }
}

extension Character {
    fileprivate var isControl: Bool {
        unicodeScalars.contains {
            $0.properties.generalCategory == .control || $0.properties.generalCategory == .format
        }
    }
}
