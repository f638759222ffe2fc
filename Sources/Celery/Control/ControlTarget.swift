/// Which workers a command of remote control is meant for.
///
/// Every worker gets the command; who is not meant passes it over.
public struct ControlTarget: Sendable, Hashable {
    /// How a pattern of node names is written.
    public enum Matcher: String, Sendable, Hashable {
        /// A shell pattern over the whole name: `*@host1`, `celery@[ab]*`.
        case glob
        /// A regular expression that the name has to begin with.
        case regularExpression = "pcre"
    }

    /// A pattern of node names.
    public struct Pattern: Sendable, Hashable {
        /// The pattern's text.
        public let text: String
        /// How it is written.
        public let matcher: Matcher
    }

    /// Names of nodes; nil for all that the pattern admits.
    public let nodes: [String]?
    /// A pattern of node names; nil for all.
    public let pattern: Pattern?

    private init(nodes: [String]?, pattern: Pattern?) {
        self.nodes = nodes
        self.pattern = pattern
    }

    /// All workers.
    public static let all = ControlTarget(nodes: nil, pattern: nil)

    /// The workers of these node names, such as `celery@host1`; an empty list means all, as in Celery.
    public static func nodes(_ names: [String]) -> ControlTarget {
        ControlTarget(nodes: names.isEmpty ? nil : names, pattern: nil)
    }

    /// The worker of this node name.
    public static func node(_ name: String) -> ControlTarget { nodes([name]) }

    /// The workers whose node names match a pattern.
    public static func matching(_ pattern: String, _ matcher: Matcher = .glob) -> ControlTarget {
        ControlTarget(nodes: nil, pattern: Pattern(text: pattern, matcher: matcher))
    }
}
