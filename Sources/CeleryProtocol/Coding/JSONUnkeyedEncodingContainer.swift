/// The elements of an array, one after the other.
struct JSONUnkeyedEncodingContainer: UnkeyedEncodingContainer {
    let encoder: ValueEncoder

    var codingPath: [any CodingKey] { encoder.codingPath }
    var count: Int { encoder.count }

    func encodeNil() { encoder.append(.null) }

    func encode(_ value: Bool) { encoder.append(.bool(value)) }

    func encode(_ value: String) { encoder.append(.string(value)) }

    func encode(_ value: Double) { encoder.append(.double(value)) }

    func encode(_ value: Float) { encoder.append(KnownTypes.value(of: value)) }

    func encode(_ value: Int) { encoder.append(.int(value)) }

    func encode(_ value: Int8) { encoder.append(KnownTypes.value(of: value)) }

    func encode(_ value: Int16) { encoder.append(KnownTypes.value(of: value)) }

    func encode(_ value: Int32) { encoder.append(KnownTypes.value(of: value)) }

    func encode(_ value: Int64) { encoder.append(KnownTypes.value(of: value)) }

    func encode(_ value: Int128) { encoder.append(KnownTypes.value(of: value)) }

    func encode(_ value: UInt) { encoder.append(KnownTypes.value(of: value)) }

    func encode(_ value: UInt8) { encoder.append(KnownTypes.value(of: value)) }

    func encode(_ value: UInt16) { encoder.append(KnownTypes.value(of: value)) }

    func encode(_ value: UInt32) { encoder.append(KnownTypes.value(of: value)) }

    func encode(_ value: UInt64) { encoder.append(KnownTypes.value(of: value)) }

    func encode(_ value: UInt128) { encoder.append(KnownTypes.value(of: value)) }

    func encode<T: Encodable>(_ value: T) throws {
        encoder.append(try encoder.encode(value, at: encoder.path.appending(index: count)))
    }

    func nestedContainer<NestedKey: CodingKey>(keyedBy keyType: NestedKey.Type) -> KeyedEncodingContainer<NestedKey> {
        encoder.openElement().container(keyedBy: keyType)
    }

    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { encoder.openElement().unkeyedContainer() }

    func superEncoder() -> any Encoder { encoder.openElement() }
}
