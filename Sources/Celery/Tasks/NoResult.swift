/// The result of a task that returns nothing: JSON's `null`, Python's `None`.
///
/// Reading accepts any result, so that a task which begins to return something does not break its callers.
public struct NoResult: Codable, Sendable, Hashable {
    /// Makes the result.
    public init() {}

    /// Takes whatever is there for nothing.
    public init(from decoder: any Decoder) throws {}

    /// Writes `null`.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encodeNil()
    }
}
