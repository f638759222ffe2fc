package import AMQP
package import CeleryProtocol
internal import FoundationEssentials
internal import OrderedCollections

extension FieldTable {
    /// The headers that py-amqp writes for a map.
    ///
    /// - Throws: ``CeleryError/Code/invalidSignature`` where a value has no form in a header table.
    init(json entries: JSONObject) throws(CeleryError) {
        self.init()
        reserveCapacity(entries.count)
        for (key, value) in entries { append(key, try FieldValue(json: value)) }
    }
}

extension FieldValue {
    /// The field that py-amqp writes for a value.
    ///
    /// - Throws: ``CeleryError/Code/invalidSignature`` for integers beyond 64 bits.
    init(json value: JSONValue) throws(CeleryError) {
        switch value {
        case .null: self = .void
        case .bool(let flag): self = .bool(flag)
        case .int(let number): self = .integer(number)
        case .bigInteger: throw CeleryError(.invalidSignature, "a header cannot hold an integer beyond 64 bits")
        case .double(let number): self = .double(number)
        case .string(let text), .date(let text), .time(let text), .decimal(let text): self = .string(text)
        case .uuid(let id): self = .string(id.uuidString.lowercased())
        case .datetime(let date): self = .timestamp(UInt64(max(date.date.timeIntervalSince1970, 0)))
        case .bytes(let bytes): self = .longBytes(bytes)
        case .array(let elements):
            var fields: [FieldValue] = []
            for element in elements { fields.append(try FieldValue(json: element)) }
            self = .array(fields)
        case .object(let entries): self = .table(try FieldTable(json: entries))
        }
    }
}

extension JSONValue {
    /// The map of a header table, for a signature that travels in a body.
    init(_ table: FieldTable) {
        self = .object(JSONObject(table.map { ($0.name, JSONValue($0.value)) }, uniquingKeysWith: { _, last in last }))
    }

    /// The value of a field, for a stamp or a header that travels in a body.
    package init(_ field: FieldValue) {
        switch field {
        case .bool(let flag): self = .bool(flag)
        case .float(let number): self = .double(Double(number))
        case .double(let number): self = .double(number)
        case .decimal(let scale, let value): self = .decimal("\(value)E-\(scale)")
        case .string(let text): self = .string(text)
        case .longBytes(let bytes), .bytes(let bytes): self = .bytes(bytes)
        case .array(let elements): self = .array(elements.map(JSONValue.init))
        case .timestamp(let seconds): self = .int(Int(clamping: seconds))
        case .table(let table): self = JSONValue(table)
        case .void: self = .null
        default: self = field.intValue.map(JSONValue.int) ?? .null
        }
    }
}
