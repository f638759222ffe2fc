import AMQPValues
import OrderedCollections

/// A body of protocol 1, turned into what protocol 2 has: headers and a triple.
///
/// Its entries become a header table, so that both protocols check types in one place.
/// Source: `celery.worker.strategy.proto1_to_proto2` and `hybrid_to_proto2`.
struct Version1Body {
    private let headers: TaskHeaders
    private let body: TaskBody
    private let form: TaskProtocol
    private let utc: Bool

    /// Reads a message of protocol 1.
    ///
    /// Its header table holds custom headers only. An id that is missing is taken from the correlation id, where Celery puts the same.
    init(
        version1 entries: JSONObject,
        properties: BasicProperties,
        headers table: FieldTable
    ) throws(ProtocolError) {
        var fields = try Self.headerFields(entries)
        if let taskset = entries["taskset"] { fields.append("group", try Self.field(taskset, "taskset")) }
        if entries["id"]?.isNull ?? true, let id = properties.correlationID { fields.append("id", .string(id)) }
        let body = try Self.body(entries)
        var headers = try TaskHeaders(decoding: fields)
        headers.custom = table
        headers.argsrepr = PythonRepr.arguments(body.args)
        headers.kwargsrepr = PythonRepr.keywords(body.kwargs)
        self.init(headers: headers, body: body, form: .version1, entries: entries)
    }

    /// Reads a body of protocol 1 below headers of protocol 2, which win, nulls included.
    init(hybrid entries: JSONObject, headers table: FieldTable) throws(ProtocolError) {
        var fields = try Self.headerFields(entries)
        for field in table { fields.append(field.name, field.value) }
        try self.init(
            headers: TaskHeaders(decoding: fields),
            body: Self.body(entries),
            form: .hybrid,
            entries: entries
        )
    }

    private init(headers: TaskHeaders, body: TaskBody, form: TaskProtocol, entries: JSONObject) {
        self.headers = headers
        self.body = body
        self.form = form
        // Python asks for truth, so that whatever is not false, zero, null or empty says yes.
        utc = entries["utc"]?.isTrueInPython ?? true
    }

    /// The message in the form that a worker goes on with.
    func envelope(of properties: BasicProperties) -> TaskEnvelope {
        TaskEnvelope(headers: headers, properties: properties, form: form, utc: utc, content: .decoded(body))
    }
}

extension Version1Body {
    /// The entries that protocol 2 has as headers, as fields of their types.
    private static func headerFields(_ entries: JSONObject) throws(ProtocolError) -> FieldTable {
        var fields = FieldTable()
        for (key, value) in entries where isHeader(key) { fields.append(key, try field(value, key)) }
        return fields
    }

    /// Arguments that are missing are empty.
    ///
    /// Entries that nobody knows are kept, as Celery adds them to the request.
    private static func body(_ entries: JSONObject) throws(ProtocolError) -> TaskBody {
        var embed = Embed()
        for (key, value) in entries where !isHeader(key) && !isOwn(key) { try embed.set(key, value) }
        return try TaskBody(args: entries["args"] ?? [], kwargs: entries["kwargs"] ?? [:], embed: embed)
    }

    private static func isHeader(_ key: String) -> Bool {
        switch TaskHeaderName(key) {
        case nil, .compression?: false
        default: true
        }
    }

    /// Entries that are neither headers nor part of the embed, once they have been read.
    private static func isOwn(_ key: String) -> Bool {
        switch key {
        case "args", "kwargs", "taskset", "utc": true
        default: false
        }
    }

    /// The field of a JSON value.
    ///
    /// A date becomes its text, which is how protocol 2 sends one.
    private static func field(_ json: JSONValue, _ key: String) throws(ProtocolError) -> FieldValue {
        switch json {
        case .null: return .void
        case .bool(let flag): return .bool(flag)
        case .int(let number): return .integer(number)
        case .double(let number): return .double(number)
        case .string(let text): return .string(text)
        case .datetime(let date): return .string(date.text)
        case .array(let elements):
            return .array(try elements.map { element throws(ProtocolError) in try field(element, key) })
        case .object(let entries): return .table(try table(entries, key))
        default:
            throw ProtocolError(.wrongHeaderType, "the entry '\(key)' of the body has a type that no header can have")
        }
    }

    private static func table(_ entries: JSONObject, _ key: String) throws(ProtocolError) -> FieldTable {
        var table = FieldTable()
        for (name, value) in entries { table.append(name, try field(value, key)) }
        return table
    }
}

extension JSONValue {
    /// Python's `bool(value)` for the types of plain JSON.
    fileprivate var isTrueInPython: Bool {
        switch self {
        case .null: false
        case .bool(let flag): flag
        case .int(let number): number != 0
        case .double(let number): number != 0
        case .string(let text): !text.isEmpty
        case .array(let elements): !elements.isEmpty
        case .object(let entries): !entries.isEmpty
        default: true
        }
    }
}
