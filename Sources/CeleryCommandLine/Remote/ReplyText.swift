import Celery

/// The replies of workers as `celery inspect`, `celery control` and `celery status` show them.
///
/// Where Celery prints lists of Python's maps, tables stand here. Source: `celery.bin.base.CLIContext.pretty`.
struct ReplyText: Sendable {
    let style: TextStyle
    let isQuiet: Bool
    /// The command, which tells what a list is of.
    var command = ""

    /// One node's reply: a line with its name and whether all is well, and what it says, if that is wanted.
    func lines(_ reply: ControlReply, showsBody: Bool) -> [String] {
        let isRefusal = reply.value["error"] != nil && reply.value["ok"] == nil
        let status = isRefusal ? style.text("ERROR", .error) : style.text("OK", .ok)
        let arrow = isQuiet ? "" : style.text("->", .strong) + " "
        let head = "\(arrow) \(style.text("\(DisplayText.plain(reply.node)): ", .node))\(status)"
        return showsBody ? [head] + body(reply.value).map { "    " + $0 } : [head]
    }

    /// The line that counts the nodes, with an empty one before it.
    func footer(_ count: Int) -> [String] {
        ["", "\(count) \(count == 1 ? "node" : "nodes") online."]
    }

    /// What a node says, in lines.
    func body(_ value: JSONValue) -> [String] {
        switch value {
        case .array(let items):
            return list(items)
        case .object(let entries):
            if let said = entries["ok"] ?? entries["error"] { return body(said).map { "    " + $0 } }
            return JSONText.pretty(value).split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        case .string(let text):
            return DisplayText.plainLines(text).split(separator: "\n", omittingEmptySubsequences: false).map(
                String.init
            )
        default:
            return [DisplayText.plain(PythonRepr.repr(value))]
        }
    }

    private func list(_ items: [JSONValue]) -> [String] {
        if items.isEmpty { return ["- empty -"] }
        if let table = ReplyTable.table(of: items, command: command) { return table.lines(style) }
        return items.map { item in
            let text = item.stringValue ?? PythonRepr.repr(item)
            return "\(style.text("*", .mark)) \(DisplayText.plain(text))"
        }
    }
}
