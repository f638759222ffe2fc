/// The decoder of one value.
struct ValueDecoder: Decoder {
    /// What is the same for all values below one call of ``JSONValueDecoder``.
    final class Context: Sendable {
        let maxDepth: Int
        let userInfo: [CodingUserInfoKey: any Sendable]

        init(maxDepth: Int, userInfo: [CodingUserInfoKey: any Sendable]) {
            self.maxDepth = maxDepth
            self.userInfo = userInfo
        }
    }

    let value: JSONValue
    let path: CodingPath
    let depth: Int
    let context: Context

    var codingPath: [any CodingKey] { path.keys }
    var userInfo: [CodingUserInfoKey: Any] { context.userInfo }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard case .object(let entries) = value else { throw mismatch([String: JSONValue].self) }
        return KeyedDecodingContainer(JSONKeyedDecodingContainer(decoder: self, entries: entries))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard case .array(let elements) = value else { throw mismatch([JSONValue].self) }
        return JSONUnkeyedDecodingContainer(decoder: self, elements: elements)
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer {
        JSONSingleValueDecodingContainer(decoder: self)
    }

    /// Decodes a value at a place below this one, or this one again as another type.
    func decode<T: Decodable>(_ type: T.Type, _ value: JSONValue, at path: @autoclosure () -> CodingPath) throws -> T {
        if let known = try KnownTypes.decode(type, from: value, path: path()) { return known }
        return try type.init(from: nested(value, at: path()))
    }

    /// The decoder of a value below this one.
    func nested(_ value: JSONValue, at path: CodingPath) throws -> ValueDecoder {
        guard depth < context.maxDepth else {
            let message = "values nested deeper than \(context.maxDepth) levels"
            throw DecodingError.dataCorrupted(.init(codingPath: path.keys, debugDescription: message))
        }
        return ValueDecoder(value: value, path: path, depth: depth + 1, context: context)
    }

    private func mismatch(_ type: any Any.Type) -> DecodingError {
        KnownTypes.mismatch(type, value, path: path)
    }
}
