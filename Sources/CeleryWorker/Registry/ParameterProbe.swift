/// Finds the coding keys of a `Codable` struct and their order, by decoding it from nothing.
///
/// A struct with `init(from:)` made by the compiler asks for its properties in the order of their declaration, so that a
/// call with positional arguments can be bound to them. A property whose type cannot be made from nothing (an enum, a
/// URL) ends the search: `isComplete` is false then, and the properties behind it can be given by keyword only.
struct ParameterProbe {
    /// One property that the struct asked for.
    struct Property: Sendable, Hashable {
        let name: String
        let isOptional: Bool
    }

    /// The properties found, in order.
    let properties: [Property]
    /// Whether these are all.
    let isComplete: Bool

    init(_ type: (some Decodable).Type) {
        let recorder = Recorder()
        let decoded = try? type.init(from: EmptyDecoder(recorder: recorder))
        properties = recorder.properties
        isComplete = decoded != nil && !recorder.isOpaque
    }
}

extension ParameterProbe {
    fileprivate final class Recorder {
        var properties: [Property] = []
        /// The type reads itself otherwise than by keys.
        var isOpaque = false

        func add(_ key: any CodingKey, isOptional: Bool) {
            let property = Property(name: key.stringValue, isOptional: isOptional)
            if !properties.contains(where: { $0.name == property.name }) { properties.append(property) }
        }
    }
}

/// Answers every question with nothing: zero, an empty text, an empty list.
///
/// Only the outermost keys are recorded.
private struct EmptyDecoder: Decoder {
    let recorder: ParameterProbe.Recorder?
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedDecodingContainer<Key> {
        KeyedDecodingContainer(EmptyKeyedContainer<Key>(recorder: recorder))
    }

    func unkeyedContainer() -> any UnkeyedDecodingContainer {
        recorder?.isOpaque = true
        return EmptyUnkeyedContainer()
    }

    func singleValueContainer() -> any SingleValueDecodingContainer {
        recorder?.isOpaque = true
        return EmptySingleValueContainer()
    }
}

private struct EmptyKeyedContainer<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let recorder: ParameterProbe.Recorder?
    var codingPath: [any CodingKey] { [] }
    var allKeys: [Key] { [] }

    /// Whoever asks first whether a key is there can do without it; `decodeIfPresent` asks so.
    func contains(_ key: Key) -> Bool {
        recorder?.add(key, isOptional: true)
        return false
    }

    func decodeNil(forKey key: Key) -> Bool {
        recorder?.add(key, isOptional: true)
        return true
    }

    func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
        recorder?.add(key, isOptional: false)
        return try T(from: EmptyDecoder(recorder: nil))
    }

    func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type,
        forKey key: Key
    ) -> KeyedDecodingContainer<NestedKey> {
        recorder?.add(key, isOptional: false)
        return KeyedDecodingContainer(EmptyKeyedContainer<NestedKey>(recorder: nil))
    }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedDecodingContainer {
        recorder?.add(key, isOptional: false)
        return EmptyUnkeyedContainer()
    }

    func superDecoder() -> any Decoder { EmptyDecoder(recorder: nil) }

    func superDecoder(forKey key: Key) -> any Decoder { EmptyDecoder(recorder: nil) }
}

private struct EmptyUnkeyedContainer: UnkeyedDecodingContainer {
    var codingPath: [any CodingKey] { [] }
    var count: Int? { 0 }
    var isAtEnd: Bool { true }
    var currentIndex: Int { 0 }

    mutating func decodeNil() -> Bool { true }

    mutating func decode<T: Decodable>(_ type: T.Type) throws -> T { try T(from: EmptyDecoder(recorder: nil)) }

    mutating func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type
    ) -> KeyedDecodingContainer<NestedKey> {
        KeyedDecodingContainer(EmptyKeyedContainer<NestedKey>(recorder: nil))
    }

    mutating func nestedUnkeyedContainer() -> any UnkeyedDecodingContainer { EmptyUnkeyedContainer() }

    mutating func superDecoder() -> any Decoder { EmptyDecoder(recorder: nil) }
}

private struct EmptySingleValueContainer: SingleValueDecodingContainer {
    var codingPath: [any CodingKey] { [] }

    func decodeNil() -> Bool { true }
    func decode(_ type: Bool.Type) -> Bool { false }
    func decode(_ type: String.Type) -> String { "" }
    func decode(_ type: Double.Type) -> Double { 0 }
    func decode(_ type: Float.Type) -> Float { 0 }
    func decode(_ type: Int.Type) -> Int { 0 }
    func decode(_ type: Int8.Type) -> Int8 { 0 }
    func decode(_ type: Int16.Type) -> Int16 { 0 }
    func decode(_ type: Int32.Type) -> Int32 { 0 }
    func decode(_ type: Int64.Type) -> Int64 { 0 }
    func decode(_ type: UInt.Type) -> UInt { 0 }
    func decode(_ type: UInt8.Type) -> UInt8 { 0 }
    func decode(_ type: UInt16.Type) -> UInt16 { 0 }
    func decode(_ type: UInt32.Type) -> UInt32 { 0 }
    func decode(_ type: UInt64.Type) -> UInt64 { 0 }
    func decode<T: Decodable>(_ type: T.Type) throws -> T { try T(from: EmptyDecoder(recorder: nil)) }
}
