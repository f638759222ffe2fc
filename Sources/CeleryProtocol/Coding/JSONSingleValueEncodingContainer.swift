/// The value itself, as a scalar or as another type.
struct JSONSingleValueEncodingContainer: SingleValueEncodingContainer {
    let encoder: ValueEncoder

    var codingPath: [any CodingKey] { encoder.codingPath }

    func encodeNil() { encoder.setScalar(.null) }

    func encode(_ value: Bool) { encoder.setScalar(.bool(value)) }

    func encode(_ value: String) { encoder.setScalar(.string(value)) }

    func encode(_ value: Double) { encoder.setScalar(.double(value)) }

    func encode(_ value: Float) { encoder.setScalar(KnownTypes.value(of: value)) }

    func encode(_ value: Int) { encoder.setScalar(.int(value)) }

    func encode(_ value: Int8) { encoder.setScalar(KnownTypes.value(of: value)) }

    func encode(_ value: Int16) { encoder.setScalar(KnownTypes.value(of: value)) }

    func encode(_ value: Int32) { encoder.setScalar(KnownTypes.value(of: value)) }

    func encode(_ value: Int64) { encoder.setScalar(KnownTypes.value(of: value)) }

    func encode(_ value: Int128) { encoder.setScalar(KnownTypes.value(of: value)) }

    func encode(_ value: UInt) { encoder.setScalar(KnownTypes.value(of: value)) }

    func encode(_ value: UInt8) { encoder.setScalar(KnownTypes.value(of: value)) }

    func encode(_ value: UInt16) { encoder.setScalar(KnownTypes.value(of: value)) }

    func encode(_ value: UInt32) { encoder.setScalar(KnownTypes.value(of: value)) }

    func encode(_ value: UInt64) { encoder.setScalar(KnownTypes.value(of: value)) }

    func encode(_ value: UInt128) { encoder.setScalar(KnownTypes.value(of: value)) }

    func encode<T: Encodable>(_ value: T) throws {
        encoder.setScalar(try encoder.encode(value, at: encoder.path))
    }
}
