import OrderedCollections

/// The encoder of one value: gathers what its containers are given.
///
/// It is a class because containers are values that write to the same place. It never leaves the call that made it.
final class ValueEncoder: Encoder {
    /// What the value turned out to be.
    private enum Kind {
        case empty
        case scalar
        case array
        case object
        /// Containers of different kinds were asked for, which has no meaning.
        case contradictory
    }

    let path: CodingPath
    /// How many arrays and maps are around this value, and how many encoders, of which some write no level of their own.
    private let level: Int
    private let depth: Int
    private let maxDepth: Int
    private let sharedInfo: [CodingUserInfoKey: any Sendable]

    private var kind = Kind.empty
    private var scalar = JSONValue.null
    private var elements: [JSONValue] = []
    private var entries = JSONObject()
    /// Encoders whose values are complete only in the end, with the key or the index that is kept for them.
    private var openEntries: OrderedDictionary<String, ValueEncoder> = [:]
    private var openElements: [(index: Int, encoder: ValueEncoder)] = []

    convenience init(maxDepth: Int, userInfo: [CodingUserInfoKey: any Sendable]) {
        self.init(path: .root, level: 0, depth: 0, maxDepth: maxDepth, userInfo: userInfo)
    }

    private init(
        path: CodingPath,
        level: Int,
        depth: Int,
        maxDepth: Int,
        userInfo: [CodingUserInfoKey: any Sendable]
    ) {
        self.path = path
        self.level = level
        self.depth = depth
        self.maxDepth = maxDepth
        self.sharedInfo = userInfo
    }

    var codingPath: [any CodingKey] { path.keys }
    var userInfo: [CodingUserInfoKey: Any] { sharedInfo }
    var count: Int { elements.count }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        become(.object)
        return KeyedEncodingContainer(JSONKeyedEncodingContainer<Key>(encoder: self))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        become(.array)
        return JSONUnkeyedEncodingContainer(encoder: self)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer {
        JSONSingleValueEncodingContainer(encoder: self)
    }

    /// The value, complete with what was encoded through nested containers.
    func finish() throws -> JSONValue {
        try checkDepth(innerLevel)
        switch kind {
        case .empty: return .object([:])
        case .scalar: return scalar
        case .array:
            for (index, encoder) in openElements { elements[index] = try encoder.finish() }
            return .array(elements)
        case .object:
            for (key, encoder) in openEntries { entries[key] = try encoder.finish() }
            return .object(entries)
        case .contradictory:
            throw error("a value was encoded as containers of different kinds")
        }
    }

    // MARK: For the containers

    func setScalar(_ value: JSONValue) {
        become(.scalar)
        scalar = value
    }

    func append(_ value: JSONValue) { elements.append(value) }

    func set(_ value: JSONValue, forKey key: String) {
        if !openEntries.isEmpty { openEntries[key] = nil }
        entries.updateValue(value, forKey: key)
    }

    /// The JSON of a value below this one.
    func encode<T: Encodable>(_ value: T, at path: @autoclosure () -> CodingPath) throws -> JSONValue {
        if let known = KnownTypes.encode(value) {
            if case .array = known { try checkDepth(innerLevel + 1) }
            return known
        }
        let encoder = nested(at: path())
        try encoder.checkDepth(encoder.innerLevel)
        try value.encode(to: encoder)
        return try encoder.finish()
    }

    /// An encoder whose value takes the place of a key in the end, for the same key always the same one.
    func open(forKey key: some CodingKey) -> ValueEncoder {
        if let encoder = openEntries[key.stringValue] { return encoder }
        let encoder = nested(at: path.appending(key))
        entries.updateValue(.null, forKey: key.stringValue)
        openEntries[key.stringValue] = encoder
        return encoder
    }

    /// An encoder whose value takes the next element's place in the end.
    func openElement() -> ValueEncoder {
        let encoder = nested(at: path.appending(index: elements.count))
        openElements.append((elements.count, encoder))
        elements.append(.null)
        return encoder
    }

    private func nested(at path: CodingPath) -> ValueEncoder {
        ValueEncoder(path: path, level: innerLevel, depth: depth + 1, maxDepth: maxDepth, userInfo: sharedInfo)
    }

    /// How many arrays and maps are around what this value contains.
    private var innerLevel: Int { kind == .array || kind == .object ? level + 1 : level }

    /// Bounds the levels of the JSON, and with them the stack, which wrappers without a level use too.
    private func checkDepth(_ levels: Int) throws {
        guard levels <= maxDepth, depth <= 2 * maxDepth else {
            throw error("values nested deeper than \(maxDepth) levels")
        }
    }

    private func become(_ new: Kind) {
        kind = kind == .empty || kind == new ? new : .contradictory
    }

    private func error(_ message: String) -> EncodingError {
        .invalidValue(JSONValue.null, .init(codingPath: codingPath, debugDescription: message))
    }
}
