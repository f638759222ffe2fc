/// A shell pattern over a whole name, as Python's `fnmatch` reads it: `*`, `?`, `[…]`, `[!…]`, case-sensitive.
struct GlobPattern: Sendable, Hashable {
    private enum Part: Sendable, Hashable {
        case any
        case one
        case literal(Unicode.Scalar)
        case set([ClosedRange<Unicode.Scalar>], negated: Bool)

        func matches(_ scalar: Unicode.Scalar) -> Bool {
            switch self {
            case .any, .one: true
            case .literal(let expected): scalar == expected
            case .set(let ranges, let negated): ranges.contains { $0.contains(scalar) } != negated
            }
        }
    }

    private let parts: [Part]

    /// Reads a pattern.
    ///
    /// Every text is one: a bracket that is not closed stands for itself.
    init(_ pattern: String) {
        var parts: [Part] = []
        var rest = Array(pattern.unicodeScalars)[...]
        while let scalar = rest.popFirst() {
            switch scalar {
            case "*": if parts.last != .any { parts.append(.any) }
            case "?": parts.append(.one)
            case "[": parts.append(Self.set(&rest))
            default: parts.append(.literal(scalar))
            }
        }
        self.parts = parts
    }

    /// Whether the whole name matches.
    ///
    /// The time is at most the product of both lengths.
    func matches(_ name: String) -> Bool {
        let scalars = Array(name.unicodeScalars)
        var (part, scalar) = (0, 0)
        var retry: (part: Int, scalar: Int)?
        while scalar < scalars.count {
            if part < parts.count, parts[part] == .any {
                retry = (part + 1, scalar)
                part += 1
            } else if part < parts.count, parts[part].matches(scalars[scalar]) {
                part += 1
                scalar += 1
            } else if let earlier = retry {
                // The last star takes one character more.
                retry = (earlier.part, earlier.scalar + 1)
                part = earlier.part
                scalar = earlier.scalar + 1
            } else {
                return false
            }
        }
        return parts[part...].allSatisfy { $0 == .any }
    }

    private static func set(_ rest: inout ArraySlice<Unicode.Scalar>) -> Part {
        var body = rest
        let negated = body.first == "!"
        if negated { body.removeFirst() }
        // A closing bracket in the first place is one of the set.
        guard let end = body.dropFirst().firstIndex(of: "]") else { return .literal("[") }
        var members = body[..<end]
        rest = body[(end + 1)...]
        var ranges: [ClosedRange<Unicode.Scalar>] = []
        while let first = members.popFirst() {
            guard members.count >= 2, members.first == "-" else {
                ranges.append(first...first)
                continue
            }
            members.removeFirst()
            guard let last = members.popFirst(), first <= last else { continue }
            ranges.append(first...last)
        }
        return .set(ranges, negated: negated)
    }
}
