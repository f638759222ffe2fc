/// The entries of a map, by key.
struct JSONKeyedEncodingContainer<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let encoder: ValueEncoder

    var codingPath: [any CodingKey] { encoder.codingPath }

    private func set(_ value: JSONValue, _ key: Key) { encoder.set(value, forKey: key.stringValue) }

    func encodeNil(forKey key: Key) { set(.null, key) }

    func encode(_ value: Bool, forKey key: Key) { set(.bool(value), key) }

    func encode(_ value: String, forKey key: Key) { set(.string(value), key) }

    func encode(_ value: Double, forKey key: Key) { set(.double(value), key) }

    func encode(_ value: Float, forKey key: Key) { set(KnownTypes.value(of: value), key) }

    func encode(_ value: Int, forKey key: Key) { set(.int(value), key) }

    func encode(_ value: Int8, forKey key: Key) { set(KnownTypes.value(of: value), key) }

    func encode(_ value: Int16, forKey key: Key) { set(KnownTypes.value(of: value), key) }

    func encode(_ value: Int32, forKey key: Key) { set(KnownTypes.value(of: value), key) }

    func encode(_ value: Int64, forKey key: Key) { set(KnownTypes.value(of: value), key) }

    func encode(_ value: Int128, forKey key: Key) { set(KnownTypes.value(of: value), key) }

    func encode(_ value: UInt, forKey key: Key) { set(KnownTypes.value(of: value), key) }

    func encode(_ value: UInt8, forKey key: Key) { set(KnownTypes.value(of: value), key) }

    func encode(_ value: UInt16, forKey key: Key) { set(KnownTypes.value(of: value), key) }

    func encode(_ value: UInt32, forKey key: Key) { set(KnownTypes.value(of: value), key) }

    func encode(_ value: UInt64, forKey key: Key) { set(KnownTypes.value(of: value), key) }

    func encode(_ value: UInt128, forKey key: Key) { set(KnownTypes.value(of: value), key) }

    func encode<T: Encodable>(_ value: T, forKey key: Key) throws {
        set(try encoder.encode(value, at: encoder.path.appending(key)), key)
    }

    func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type,
        forKey key: Key
    ) -> KeyedEncodingContainer<NestedKey> {
        encoder.open(forKey: key).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        encoder.open(forKey: key).unkeyedContainer()
    }

    func superEncoder() -> any Encoder { encoder.open(forKey: CodingStep.superclass) }

    func superEncoder(forKey key: Key) -> any Encoder { encoder.open(forKey: key) }
}
