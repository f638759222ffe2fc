internal import AMQP
internal import OrderedCollections

/// The options of a signature while a workflow is prepared, in their order.
typealias CanvasOptions = OrderedDictionary<String, CanvasOption>

/// An option of a signature while a workflow is prepared.
enum CanvasOption {
    /// The option as it travels.
    case value(JSONValue)
    /// The body of a chord, which may still change: it is written when the message is made.
    case signature(CanvasNode)
    /// Headers of the message, with the types that their sender gave them.
    case headers(FieldTable)

    /// The option as it travels, where it is no signature or header.
    var plain: JSONValue? {
        if case .value(let value) = self { value } else { nil }
    }

    var isNull: Bool {
        if case .value(.null) = self { true } else { false }
    }

    var stringValue: String? { plain?.stringValue }
}

extension CanvasOptions {
    /// Options in the order in which they are written into signatures.
    init(_ options: TaskOptions) {
        self = CanvasOptions(options.json)
        if !options.headers.isEmpty { self["headers"] = .headers(options.headers) }
    }

    init(_ json: JSONObject) {
        self.init(minimumCapacity: json.count)
        for (key, value) in json { self[key] = .value(value) }
    }

    /// The option's text; nil where there is none.
    func text(_ key: String) -> String? { self[key]?.stringValue }

    /// Whether the option is there and not null.
    func has(_ key: String) -> Bool { self[key].map { !$0.isNull } ?? false }

    /// Takes an option out; nil where it is not there or null.
    mutating func take(_ key: String) -> CanvasOption? {
        guard let option = removeValue(forKey: key), !option.isNull else { return nil }
        return option
    }

    /// Sets or replaces options, as `dict.update`.
    mutating func update(_ others: CanvasOptions) {
        for (key, value) in others { self[key] = value }
    }

    /// A list option's signatures; a single one counts as a list.
    func list(_ key: String) -> [JSONValue] {
        switch self[key]?.plain {
        case nil, .null?: []
        case .array(let elements)?: elements
        case let single?: [single]
        }
    }

    /// Adds to a list option, which may hold a single one; nothing is added twice.
    mutating func append(_ key: String, _ added: JSONValue) { append(key, contentsOf: [added]) }

    /// Adds to a list option, in linear time.
    mutating func append(_ key: String, contentsOf added: [JSONValue]) {
        if added.isEmpty { return }
        var elements = list(key)
        if added.count == 1 {
            if !elements.contains(added[0]) { elements.append(added[0]) }
        } else {
            var known = Set(elements)
            for element in added where known.insert(element).inserted { elements.append(element) }
        }
        self[key] = .value(.array(elements))
    }

    /// The typed options, for a message that is made now with this writer.
    func typed(_ writer: SignatureWriter) throws(CeleryError) -> TaskOptions {
        var writer = writer
        var json = JSONObject(minimumCapacity: count)
        var headers: FieldTable?
        for (key, option) in self {
            if case .headers(let table) = option { headers = table } else { json[key] = try writer.json(option) }
        }
        var options = try TaskOptions(decoding: json)
        if let headers { options.headers = headers }
        return options
    }
}
