public import CeleryProtocol

/// A parameter of a task: its name, under which callers may give it by keyword, and perhaps a default.
///
/// Written as a plain string where there is no default: `arguments: "x", Parameter("y", default: 2)`.
public struct Parameter: Sendable, Hashable {
    /// The name that callers use for keyword arguments.
    public let name: String
    /// The value of the argument where the caller gives none; nil makes the argument required.
    public let defaultValue: JSONValue?

    /// Makes a required parameter.
    public init(_ name: String) {
        self.name = name
        defaultValue = nil
    }

    /// Makes a parameter that callers may leave out.
    public init(_ name: String, default value: JSONValue) {
        self.name = name
        defaultValue = value
    }
}

extension Parameter: ExpressibleByStringLiteral {
    /// A required parameter.
    public init(stringLiteral value: String) { self.init(value) }
}
