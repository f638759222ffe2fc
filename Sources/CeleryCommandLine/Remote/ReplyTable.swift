import Celery

/// Tables of what workers list: tasks and queues.
enum ReplyTable {
    /// The table of a command's list; nil where a list is of something else than expected.
    static func table(of items: [JSONValue], command: String) -> TextTable? {
        switch command {
        case "active": tasks(items, lastColumn: "STARTED") { time($0["time_start"]) }
        case "reserved": tasks(items, lastColumn: "QUEUE") { text($0["delivery_info"]?["routing_key"]) }
        case "scheduled": scheduled(items)
        case "active_queues": queues(items)
        default: nil
        }
    }

    private static func tasks(
        _ items: [JSONValue],
        lastColumn: String,
        _ last: (JSONValue) -> String
    ) -> TextTable? {
        var table = TextTable(["ID", "TASK", "ARGS", "KWARGS", lastColumn])
        for item in items {
            guard let cells = taskCells(item) else { return nil }
            table.append(cells + [last(item)])
        }
        return table
    }

    private static func scheduled(_ items: [JSONValue]) -> TextTable? {
        var table = TextTable(["ETA", "PRIORITY", "ID", "TASK", "ARGS", "KWARGS"])
        for item in items {
            guard let request = item["request"], let cells = taskCells(request) else { return nil }
            table.append([text(item["eta"]), text(item["priority"])] + cells)
        }
        return table
    }

    private static func taskCells(_ task: JSONValue) -> [String]? {
        guard task.objectValue != nil, let id = task["id"] else { return nil }
        return [text(id), text(task["name"]), text(task["args"]), text(task["kwargs"])]
    }

    private static func queues(_ items: [JSONValue]) -> TextTable? {
        var table = TextTable([
            "QUEUE", "EXCHANGE", "TYPE", "ROUTING KEY", "DURABLE", "EXCLUSIVE", "AUTO DELETE", "ARGUMENTS",
        ])
        for item in items {
            guard item.objectValue != nil, let name = item["name"] else { return nil }
            let exchange = item["exchange"]
            table.append([
                text(name), text(exchange?["name"]), text(exchange?["type"]), text(item["routing_key"]),
                truth(item["durable"]), truth(item["exclusive"]), truth(item["auto_delete"]),
                text(item["queue_arguments"]),
            ])
        }
        return table
    }

    private static func text(_ value: JSONValue?) -> String {
        switch value {
        case nil, .null?: ""
        case .string(let text)?: text
        case let value?: PythonRepr.repr(value)
        }
    }

    private static func truth(_ value: JSONValue?) -> String {
        value?.boolValue.map { $0 ? "yes" : "no" } ?? ""
    }

    private static func time(_ value: JSONValue?) -> String {
        value?.doubleValue.map { ClockText.dateAndTime($0) } ?? ""
    }
}
