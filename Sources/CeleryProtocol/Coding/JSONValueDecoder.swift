/// Makes Swift values of ``JSONValue``s: task arguments and results of what Python sent.
///
/// Integers become floats where a `Double` is asked for, as Python would take them; a float never becomes an integer, for
/// Python would pass the float on. Extended types become `Date`, `Data`, `UUID` and `Decimal`; these and `URL` are
/// also read from the strings that other languages send instead. `JSONValue` and `JSONObject` take anything as it is.
public struct JSONValueDecoder: Sendable {
    /// How deep values may be nested, counting wrappers such as optionals too.
    public var maxDepth: Int
    /// Values that `init(from:)` of the decoded types may look up.
    public var userInfo: [CodingUserInfoKey: any Sendable]

    /// Makes a decoder.
    public init(maxDepth: Int = JSONLimits.greatestDepth, userInfo: [CodingUserInfoKey: any Sendable] = [:]) {
        self.maxDepth = maxDepth
        self.userInfo = userInfo
    }

    /// Makes a value of a type.
    ///
    /// - Throws: `DecodingError`, which names the coding path and the types, but not the value.
    public func decode<T: Decodable>(_ type: T.Type, from value: JSONValue) throws -> T {
        if let known = try KnownTypes.decode(type, from: value, path: .root) { return known }
        let context = ValueDecoder.Context(maxDepth: maxDepth, userInfo: userInfo)
        return try type.init(from: ValueDecoder(value: value, path: .root, depth: 1, context: context))
    }
}
