/// Makes ``JSONValue``s of Swift values: task arguments and results as Python reads them.
///
/// `Date` becomes a `datetime` in UTC, `Data` becomes `bytes`, `UUID` a `UUID`, `Decimal` a `Decimal`; `URL` becomes a string,
/// `JSONValue` and `JSONObject` are taken as they are. Integers beyond 64 bits stay exact. A nil property is left out, as
/// synthesised `encode(to:)` does, so that the parameter's default counts in Python.
public struct JSONValueEncoder: Sendable {
    /// How deep values may be nested; the default leaves room for the message around them in a reader's limits.
    public var maxDepth: Int
    /// Values that `encode(to:)` of the encoded types may look up.
    public var userInfo: [CodingUserInfoKey: any Sendable]

    /// Makes an encoder that accepts up to 60 levels.
    public init() { self.init(maxDepth: 60) }

    /// Makes an encoder.
    public init(maxDepth: Int, userInfo: [CodingUserInfoKey: any Sendable] = [:]) {
        self.maxDepth = maxDepth
        self.userInfo = userInfo
    }

    /// Makes the JSON of a value.
    ///
    /// - Throws: `EncodingError` where values are nested too deep, or what `encode(to:)` throws.
    public func encode<T: Encodable>(_ value: T) throws -> JSONValue {
        if let known = KnownTypes.encode(value) { return known }
        let encoder = ValueEncoder(maxDepth: maxDepth, userInfo: userInfo)
        try value.encode(to: encoder)
        return try encoder.finish()
    }
}
