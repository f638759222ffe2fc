import CeleryProtocol

/// Which parameters a task has, and the rules by which Python would bind a call's arguments to them.
///
/// A caller in Python has to see the `TypeError` that a Python function of the same signature raises, in the same words.
struct ArgumentBinding: Sendable {
    /// One parameter as the binding sees it.
    struct Slot: Sendable {
        /// The keyword; nil for a parameter that is only positional.
        let name: String?
        /// Whether a call without it is legal.
        let isOptional: Bool
        /// The value for a call without it; nil leaves it absent.
        let defaultValue: JSONValue?
    }

    /// The task's function name as it stands in messages.
    let function: String
    let slots: [Slot]

    /// Makes a binding; the function's name is the last part of the task's name.
    init(taskName: String, slots: [Slot]) {
        function = taskName.split(separator: ".", omittingEmptySubsequences: true).last.map(String.init) ?? taskName
        self.slots = slots
    }

    /// Whether the call fills every parameter by position: then nothing has to be looked up.
    func isPlain(_ args: [JSONValue], _ kwargs: JSONObject) -> Bool {
        kwargs.isEmpty && args.count == slots.count
    }

    /// The value for each parameter in order, or nil where it is absent.
    ///
    /// - Throws: ``TaskError`` of the type `TypeError`, checked in the order in which CPython does.
    func bind(_ args: [JSONValue], _ kwargs: JSONObject) throws(TaskError) -> [JSONValue?] {
        var values: [JSONValue?] = Array(repeating: nil, count: slots.count)
        for (index, value) in args.prefix(slots.count).enumerated() { values[index] = value }
        for (keyword, value) in kwargs {
            guard let index = slots.firstIndex(where: { $0.name == keyword }) else {
                throw typeError("got an unexpected keyword argument '\(keyword)'")
            }
            guard values[index] == nil else { throw typeError("got multiple values for argument '\(keyword)'") }
            values[index] = value
        }
        guard args.count <= slots.count else { throw tooMany(args.count) }
        try fillDefaults(&values)
        return values
    }

    /// The name of a parameter for messages; numbered from one where it has none.
    func name(at index: Int) -> String {
        index < slots.count ? slots[index].name ?? "arg\(index + 1)" : "arg\(index + 1)"
    }

    /// The error for an argument of a wrong type.
    func wrongType(at index: Int, expected: String, found: JSONValue, detail: String?) -> TaskError {
        typeError("argument '\(name(at: index))' must be \(expected), not \(found.pythonTypeName)\(detail ?? "")")
    }

    private func fillDefaults(_ values: inout [JSONValue?]) throws(TaskError) {
        var missing: [String] = []
        for index in slots.indices where values[index] == nil {
            if slots[index].isOptional {
                values[index] = slots[index].defaultValue
            } else {
                missing.append("'\(name(at: index))'")
            }
        }
        guard missing.isEmpty else { throw missingArguments(missing) }
    }

    private func missingArguments(_ names: [String]) -> TaskError {
        let list =
            switch names.count {
            case 1: names[0]
            case 2: names.joined(separator: " and ")
            default: names.dropLast().joined(separator: ", ") + ", and " + (names.last ?? "")
            }
        let noun = names.count == 1 ? "argument" : "arguments"
        return typeError("missing \(names.count) required positional \(noun): \(list)")
    }

    private func tooMany(_ given: Int) -> TaskError {
        let most = slots.count
        let least = slots.count { !$0.isOptional }
        let takes = least == most ? "\(most)" : "from \(least) to \(most)"
        let noun = most == 1 ? "argument" : "arguments"
        let verb = given == 1 ? "was" : "were"
        return typeError("takes \(takes) positional \(noun) but \(given) \(verb) given")
    }

    private func typeError(_ rest: String) -> TaskError {
        TaskError(type: "TypeError", module: "builtins", "\(function)() \(rest)")
    }
}

extension JSONValue {
    /// The name of the type that Python decodes this value to.
    var pythonTypeName: String {
        switch self {
        case .null: "NoneType"
        case .bool: "bool"
        case .int, .bigInteger: "int"
        case .double: "float"
        case .string: "str"
        case .array: "list"
        case .object: "dict"
        case .datetime: "datetime"
        case .date: "date"
        case .time: "time"
        case .decimal: "Decimal"
        case .uuid: "UUID"
        case .bytes: "bytes"
        }
    }
}
