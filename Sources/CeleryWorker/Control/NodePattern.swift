import Celery
import CeleryProtocol

/// A pattern of node names, in the ways of `kombu.matcher`.
enum NodePattern: Sendable {
    case glob(GlobPattern)
    case regex(BoundedRegex)

    /// Reads a pattern.
    ///
    /// - Parameters:
    ///   - pattern: the pattern.
    ///   - matcher: `glob` or `pcre`.
    /// - Throws: ``ProtocolError/Code/invalidControl`` for another matcher, and for a pattern that cannot be read.
    init(_ pattern: String, matcher: String) throws(ProtocolError) {
        switch matcher {
        case "glob": self = .glob(GlobPattern(pattern))
        case "pcre": self = .regex(try BoundedRegex(pattern))
        default: throw ProtocolError(.invalidControl, "there is no matcher of this name, only 'glob' and 'pcre'")
        }
    }

    /// Whether a node is meant.
    func matches(_ node: String) -> Bool {
        switch self {
        case .glob(let glob): glob.matches(node)
        case .regex(let regex): regex.matchesStart(of: node)
        }
    }
}

extension ControlRequest {
    /// Whether a node is meant: one of the destinations, or else one that the pattern fits; without both every node is.
    ///
    /// - Throws: ``ProtocolError/Code/invalidControl`` for a pattern that cannot be read.
    func isAddressed(to node: String) throws(ProtocolError) -> Bool {
        if let destination, !destination.isEmpty { return destination.contains(node) }
        guard let pattern, let matcher, !pattern.isEmpty, !matcher.isEmpty else { return true }
        return try NodePattern(pattern, matcher: matcher).matches(node)
    }
}
