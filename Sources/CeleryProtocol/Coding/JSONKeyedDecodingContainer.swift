import OrderedCollections

/// The entries of a map, by key.
struct JSONKeyedDecodingContainer<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let decoder: ValueDecoder
    let entries: JSONObject

    var codingPath: [any CodingKey] { decoder.codingPath }
    var allKeys: [Key] { entries.keys.compactMap { Key(stringValue: $0) } }

    func contains(_ key: Key) -> Bool { entries[key.stringValue] != nil }

    private func value(_ key: some CodingKey) throws -> JSONValue {
        guard let value = entries[key.stringValue] else {
            let message = "no value for the key \(key.stringValue)"
            throw DecodingError.keyNotFound(key, .init(codingPath: codingPath, debugDescription: message))
        }
        return value
    }

    private func path(_ key: some CodingKey) -> CodingPath { decoder.path.appending(key) }

    func decodeNil(forKey key: Key) throws -> Bool { try value(key).isNull }

    func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool {
        try KnownTypes.Scalars.bool(value(key), path(key))
    }

    func decode(_ type: String.Type, forKey key: Key) throws -> String {
        try KnownTypes.Scalars.string(value(key), path(key))
    }

    func decode(_ type: Double.Type, forKey key: Key) throws -> Double {
        try KnownTypes.Scalars.double(value(key), path(key))
    }

    func decode(_ type: Float.Type, forKey key: Key) throws -> Float {
        try KnownTypes.Scalars.float(value(key), path(key))
    }

    func decode(_ type: Int.Type, forKey key: Key) throws -> Int {
        try KnownTypes.Scalars.integer(type, value(key), path(key))
    }

    func decode(_ type: Int8.Type, forKey key: Key) throws -> Int8 {
        try KnownTypes.Scalars.integer(type, value(key), path(key))
    }

    func decode(_ type: Int16.Type, forKey key: Key) throws -> Int16 {
        try KnownTypes.Scalars.integer(type, value(key), path(key))
    }

    func decode(_ type: Int32.Type, forKey key: Key) throws -> Int32 {
        try KnownTypes.Scalars.integer(type, value(key), path(key))
    }

    func decode(_ type: Int64.Type, forKey key: Key) throws -> Int64 {
        try KnownTypes.Scalars.integer(type, value(key), path(key))
    }

    func decode(_ type: Int128.Type, forKey key: Key) throws -> Int128 {
        try KnownTypes.Scalars.integer(type, value(key), path(key))
    }

    func decode(_ type: UInt.Type, forKey key: Key) throws -> UInt {
        try KnownTypes.Scalars.integer(type, value(key), path(key))
    }

    func decode(_ type: UInt8.Type, forKey key: Key) throws -> UInt8 {
        try KnownTypes.Scalars.integer(type, value(key), path(key))
    }

    func decode(_ type: UInt16.Type, forKey key: Key) throws -> UInt16 {
        try KnownTypes.Scalars.integer(type, value(key), path(key))
    }

    func decode(_ type: UInt32.Type, forKey key: Key) throws -> UInt32 {
        try KnownTypes.Scalars.integer(type, value(key), path(key))
    }

    func decode(_ type: UInt64.Type, forKey key: Key) throws -> UInt64 {
        try KnownTypes.Scalars.integer(type, value(key), path(key))
    }

    func decode(_ type: UInt128.Type, forKey key: Key) throws -> UInt128 {
        try KnownTypes.Scalars.integer(type, value(key), path(key))
    }

    func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
        try decoder.decode(type, value(key), at: path(key))
    }

    func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type,
        forKey key: Key
    ) throws -> KeyedDecodingContainer<NestedKey> {
        try decoder.nested(value(key), at: path(key)).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try decoder.nested(value(key), at: path(key)).unkeyedContainer()
    }

    func superDecoder() throws -> any Decoder { try superDecoder(at: CodingStep.superclass) }

    func superDecoder(forKey key: Key) throws -> any Decoder { try superDecoder(at: key) }

    /// The decoder of a superclass, of null where the key is missing, as the standard library's coders do it.
    private func superDecoder(at key: some CodingKey) throws -> any Decoder {
        try decoder.nested(entries[key.stringValue] ?? .null, at: path(key))
    }
}
