import AMQP
import Celery
import CeleryWorker

/// Tasks that return a value.
enum ValueTasks {
    static func register(in tasks: inout TaskRegistry) {
        registerNumbers(&tasks)
        registerAnything(&tasks)
    }

    private static func registerNumbers(_ tasks: inout TaskRegistry) {
        tasks.register("flow.add", arguments: "x", "y") { (x: Int, y: Int) in x + y }
        tasks.register("flow.mul", arguments: "x", "y") { (x: Int, y: Int) in x * y }
        tasks.register("flow.total", arguments: "numbers") { (numbers: [Int]) in numbers.reduce(0, +) }
        tasks.register("flow.total_and", arguments: "numbers", "more") { (numbers: [Int], more: Int) in
            numbers.reduce(more, +)
        }
        tasks.register("flow.total_of_all", arguments: "lists") { (lists: [[Int]]) in lists.joined().reduce(0, +) }
        tasks.register("flow.sorted", arguments: "values") { (values: [Int]) in values.sorted() }
    }

    private static func registerAnything(_ tasks: inout TaskRegistry) {
        tasks.register("flow.value", arguments: "value") { (value: JSONValue) in value }
        tasks.register("flow.wrap", arguments: "value") { (value: JSONValue) in [value] }
        tasks.register("flow.count", arguments: "values") { (values: [JSONValue]) in values.count }
        tasks.register("flow.quiet", arguments: "value", options: .init(ignoreResult: true)) { (value: JSONValue) in
            value
        }
        tasks.registerUntyped("flow.echo") { _, args, kwargs in ["args": .array(args), "kwargs": .object(kwargs)] }
        tasks.registerUntyped("flow.request") { context, args, _ in place(of: context, args) }
    }

    /// What a task knows of its place in the workflow.
    private static func place(of context: TaskContext, _ args: [JSONValue]) -> JSONValue {
        [
            "args": .array(args),
            "id": .string(context.id),
            "root": .string(context.rootID),
            "parent": text(context.parentID),
            "group": text(context.group),
            "index": context.groupIndex.map { .int($0) } ?? .null,
            "retries": .int(context.retries),
            "nesting": .int(context.replacedTaskNesting),
            "priority": .int(Int(context.deliveryInfo.priority ?? 0)),
            "stamped_headers": .array(context.stampedHeaders.sorted().map { .string($0) }),
            "stamps": stamps(of: context),
            "tenant": text(context.customHeaders["tenant"]?.stringValue),
        ]
    }

    private static func text(_ text: String?) -> JSONValue { text.map { .string($0) } ?? .null }

    /// Each stamp as a list of its values.
    private static func stamps(of context: TaskContext) -> JSONValue {
        let pairs = context.stamps.fields.map { field in
            (field.name, JSONValue.array((field.value.arrayValue ?? [field.value]).map { plain($0) }))
        }
        return .object(JSONObject(pairs, uniquingKeysWith: { _, last in last }))
    }

    private static func plain(_ value: FieldValue) -> JSONValue {
        if let flag = value.boolValue { return .bool(flag) }
        if let number = value.intValue { return .int(number) }
        return text(value.stringValue)
    }
}
