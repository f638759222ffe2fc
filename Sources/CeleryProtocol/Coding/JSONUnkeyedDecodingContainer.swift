/// The elements of an array, one after the other.
struct JSONUnkeyedDecodingContainer: UnkeyedDecodingContainer {
    let decoder: ValueDecoder
    let elements: [JSONValue]
    private(set) var currentIndex = 0

    init(decoder: ValueDecoder, elements: [JSONValue]) {
        self.decoder = decoder
        self.elements = elements
    }

    var codingPath: [any CodingKey] { decoder.codingPath }
    var count: Int? { elements.count }
    var isAtEnd: Bool { currentIndex >= elements.count }

    private func path(_ index: Int) -> CodingPath { decoder.path.appending(index: index) }

    /// The element at the cursor, which moves on only if the element can be used.
    private mutating func next<T>(_ type: T.Type, _ convert: (JSONValue, () -> CodingPath) throws -> T) throws -> T {
        let index = currentIndex
        guard index < elements.count else {
            let context = DecodingError.Context(codingPath: path(index).keys, debugDescription: "no further element")
            throw DecodingError.valueNotFound(type, context)
        }
        let result = try convert(elements[index]) { path(index) }
        currentIndex += 1
        return result
    }

    mutating func decodeNil() throws -> Bool {
        guard !isAtEnd else { return try next(JSONValue?.self) { _, _ in nil } == nil }
        guard elements[currentIndex].isNull else { return false }
        currentIndex += 1
        return true
    }

    mutating func decode(_ type: Bool.Type) throws -> Bool {
        try next(type) { try KnownTypes.Scalars.bool($0, $1()) }
    }

    mutating func decode(_ type: String.Type) throws -> String {
        try next(type) { try KnownTypes.Scalars.string($0, $1()) }
    }

    mutating func decode(_ type: Double.Type) throws -> Double {
        try next(type) { try KnownTypes.Scalars.double($0, $1()) }
    }

    mutating func decode(_ type: Float.Type) throws -> Float {
        try next(type) { try KnownTypes.Scalars.float($0, $1()) }
    }

    mutating func decode(_ type: Int.Type) throws -> Int {
        try next(type) { try KnownTypes.Scalars.integer(type, $0, $1()) }
    }

    mutating func decode(_ type: Int8.Type) throws -> Int8 {
        try next(type) { try KnownTypes.Scalars.integer(type, $0, $1()) }
    }

    mutating func decode(_ type: Int16.Type) throws -> Int16 {
        try next(type) { try KnownTypes.Scalars.integer(type, $0, $1()) }
    }

    mutating func decode(_ type: Int32.Type) throws -> Int32 {
        try next(type) { try KnownTypes.Scalars.integer(type, $0, $1()) }
    }

    mutating func decode(_ type: Int64.Type) throws -> Int64 {
        try next(type) { try KnownTypes.Scalars.integer(type, $0, $1()) }
    }

    mutating func decode(_ type: Int128.Type) throws -> Int128 {
        try next(type) { try KnownTypes.Scalars.integer(type, $0, $1()) }
    }

    mutating func decode(_ type: UInt.Type) throws -> UInt {
        try next(type) { try KnownTypes.Scalars.integer(type, $0, $1()) }
    }

    mutating func decode(_ type: UInt8.Type) throws -> UInt8 {
        try next(type) { try KnownTypes.Scalars.integer(type, $0, $1()) }
    }

    mutating func decode(_ type: UInt16.Type) throws -> UInt16 {
        try next(type) { try KnownTypes.Scalars.integer(type, $0, $1()) }
    }

    mutating func decode(_ type: UInt32.Type) throws -> UInt32 {
        try next(type) { try KnownTypes.Scalars.integer(type, $0, $1()) }
    }

    mutating func decode(_ type: UInt64.Type) throws -> UInt64 {
        try next(type) { try KnownTypes.Scalars.integer(type, $0, $1()) }
    }

    mutating func decode(_ type: UInt128.Type) throws -> UInt128 {
        try next(type) { try KnownTypes.Scalars.integer(type, $0, $1()) }
    }

    mutating func decode<T: Decodable>(_ type: T.Type) throws -> T {
        let decoder = decoder
        return try next(type) { try decoder.decode(type, $0, at: $1()) }
    }

    mutating func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type
    ) throws -> KeyedDecodingContainer<NestedKey> {
        let decoder = decoder
        return try next(KeyedDecodingContainer<NestedKey>.self) {
            try decoder.nested($0, at: $1()).container(keyedBy: type)
        }
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        let decoder = decoder
        return try next((any UnkeyedDecodingContainer).self) { try decoder.nested($0, at: $1()).unkeyedContainer() }
    }

    mutating func superDecoder() throws -> any Decoder {
        let decoder = decoder
        return try next((any Decoder).self) { try decoder.nested($0, at: $1()) }
    }
}
