import OrderedCollections

/// An exception as a result message carries it.
///
/// Source: `celery.backends.base.Backend.prepare_exception` and `exception_to_python`.
public struct ExceptionInfo: Sendable, Hashable {
    /// The qualified name of the exception's class within its module, such as `ValueError` or `Outer.Inner`.
    public var type: String
    /// The module of the class, such as `builtins`.
    public var module: String?
    /// What the exception was made with.
    public var arguments: [JSONValue]

    /// Makes an exception.
    public init(type: String, module: String? = nil, arguments: [JSONValue] = []) {
        self.type = type
        self.module = module
        self.arguments = arguments
    }
}

extension ExceptionInfo {
    /// Reads the map of an exception.
    ///
    /// `exc_message` is the list of the arguments; older senders put one text there, and then it is the only argument.
    ///
    /// - Throws: ``ProtocolError/Code/invalidResult`` where the value is not such a map.
    public init(decoding json: JSONValue) throws(ProtocolError) {
        guard case .object(let entries) = json else { throw Self.invalid("an exception has to be a map") }
        guard case .string(let type)? = entries["exc_type"] else { throw Self.invalid("'exc_type' has to be text") }
        let module: String?
        switch entries["exc_module"] {
        case .string(let name)?: module = name
        case .null?, nil: module = nil
        default: throw Self.invalid("'exc_module' has to be text or null")
        }
        let arguments: [JSONValue] =
            switch entries["exc_message"] {
            case .array(let elements)?: elements
            case .null?, nil: []
            case let single?: [single]
            }
        self.init(type: type, module: module, arguments: arguments)
    }

    /// The map as Celery writes it.
    public var json: JSONValue {
        var entries = JSONObject(minimumCapacity: 3)
        entries["exc_type"] = .string(type)
        entries["exc_message"] = .array(arguments)
        entries["exc_module"] = module.map(JSONValue.string) ?? .null
        return .object(entries)
    }

    private static func invalid(_ rule: String) -> ProtocolError { ProtocolError(.invalidResult, rule) }
}

extension ExceptionInfo {
    /// The exception as Python's `repr` shows it, such as `ValueError('bad', 7)`: what events, logs and the errors of chords
    /// carry.
    public var pythonRepr: String {
        if module == "celery.exceptions", let text = celeryRepr { return text }
        return "\(className)(\(arguments.map { PythonLiteral.text(of: $0) }.joined(separator: ", ")))"
    }

    /// The text of those of Celery's exceptions that have a `__repr__` of their own and come out of tasks.
    private var celeryRepr: String? {
        guard let first = arguments.first else { return nil }
        switch type {
        case "NotRegistered":
            return "Task of kind \(PythonLiteral.text(of: first)) never registered; please make sure it's imported."
        case "Reject":
            let requeue = PythonLiteral.text(of: arguments.count > 1 ? arguments[1] : .bool(false))
            return "reject requeue=\(requeue): \(first.stringValue ?? PythonLiteral.text(of: first))"
        default: return nil
        }
    }

    /// The message as Python's `str` shows it: a single text as it is, otherwise all arguments in parentheses.
    public var message: String {
        switch arguments.first {
        case nil: ""
        case .string(let text)? where arguments.count == 1: text
        case let single? where arguments.count == 1: PythonRepr.repr(single)
        default: PythonRepr.arguments(arguments)
        }
    }

    /// The class's own name, without the classes that it is nested in.
    private var className: Substring { type[(type.lastIndex(of: ".").map(type.index(after:)) ?? type.startIndex)...] }
}
