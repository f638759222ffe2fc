/// The value itself, as a scalar or as another type.
struct JSONSingleValueDecodingContainer: SingleValueDecodingContainer {
    let decoder: ValueDecoder

    var codingPath: [any CodingKey] { decoder.codingPath }

    func decodeNil() -> Bool { decoder.value.isNull }

    func decode(_ type: Bool.Type) throws -> Bool {
        try KnownTypes.Scalars.bool(decoder.value, decoder.path)
    }

    func decode(_ type: String.Type) throws -> String {
        try KnownTypes.Scalars.string(decoder.value, decoder.path)
    }

    func decode(_ type: Double.Type) throws -> Double {
        try KnownTypes.Scalars.double(decoder.value, decoder.path)
    }

    func decode(_ type: Float.Type) throws -> Float {
        try KnownTypes.Scalars.float(decoder.value, decoder.path)
    }

    func decode(_ type: Int.Type) throws -> Int {
        try KnownTypes.Scalars.integer(type, decoder.value, decoder.path)
    }

    func decode(_ type: Int8.Type) throws -> Int8 {
        try KnownTypes.Scalars.integer(type, decoder.value, decoder.path)
    }

    func decode(_ type: Int16.Type) throws -> Int16 {
        try KnownTypes.Scalars.integer(type, decoder.value, decoder.path)
    }

    func decode(_ type: Int32.Type) throws -> Int32 {
        try KnownTypes.Scalars.integer(type, decoder.value, decoder.path)
    }

    func decode(_ type: Int64.Type) throws -> Int64 {
        try KnownTypes.Scalars.integer(type, decoder.value, decoder.path)
    }

    func decode(_ type: Int128.Type) throws -> Int128 {
        try KnownTypes.Scalars.integer(type, decoder.value, decoder.path)
    }

    func decode(_ type: UInt.Type) throws -> UInt {
        try KnownTypes.Scalars.integer(type, decoder.value, decoder.path)
    }

    func decode(_ type: UInt8.Type) throws -> UInt8 {
        try KnownTypes.Scalars.integer(type, decoder.value, decoder.path)
    }

    func decode(_ type: UInt16.Type) throws -> UInt16 {
        try KnownTypes.Scalars.integer(type, decoder.value, decoder.path)
    }

    func decode(_ type: UInt32.Type) throws -> UInt32 {
        try KnownTypes.Scalars.integer(type, decoder.value, decoder.path)
    }

    func decode(_ type: UInt64.Type) throws -> UInt64 {
        try KnownTypes.Scalars.integer(type, decoder.value, decoder.path)
    }

    func decode(_ type: UInt128.Type) throws -> UInt128 {
        try KnownTypes.Scalars.integer(type, decoder.value, decoder.path)
    }

    func decode<T: Decodable>(_ type: T.Type) throws -> T {
        try decoder.decode(type, decoder.value, at: decoder.path)
    }
}
