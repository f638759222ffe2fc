import CeleryProtocol

/// Reads the text of a `BoundedRegex`.
struct BoundedRegexParser {
    /// How deep groups may be nested.
    private static let maxDepth = 32
    /// The largest number of a repetition.
    private static let maxCount = 1_000

    private var rest: ArraySlice<Unicode.Scalar>
    private var depth = 0

    init(_ pattern: String) { rest = Array(pattern.unicodeScalars)[...] }

    /// Reads the whole expression.
    ///
    /// - Throws: ``ProtocolError/Code/invalidControl``.
    mutating func parse() throws(ProtocolError) -> BoundedRegex.Node {
        let node = try either()
        guard rest.isEmpty else { throw Self.unreadable("an unbalanced parenthesis") }
        return node
    }

    private static func unreadable(_ what: String) -> ProtocolError {
        ProtocolError(.invalidControl, "the regular expression cannot be read: \(what)")
    }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard rest.first == scalar else { return false }
        rest.removeFirst()
        return true
    }

    private mutating func either() throws(ProtocolError) -> BoundedRegex.Node {
        var branches = [try sequence()]
        while take("|") { branches.append(try sequence()) }
        return branches.count == 1 ? branches[0] : .either(branches)
    }

    private mutating func sequence() throws(ProtocolError) -> BoundedRegex.Node {
        var nodes: [BoundedRegex.Node] = []
        while let first = rest.first, first != "|", first != ")" { nodes.append(try quantified()) }
        return .sequence(nodes)
    }

    private mutating func quantified() throws(ProtocolError) -> BoundedRegex.Node {
        let node = try atom()
        guard let (min, max) = try quantifier() else { return node }
        // Lazy and possessive forms match the same starts, or fewer that do not matter here.
        if !take("?") { _ = take("+") }
        return .repeated(node, min: min, max: max)
    }

    private mutating func quantifier() throws(ProtocolError) -> (Int, Int?)? {
        if take("*") { return (0, nil) }
        if take("+") { return (1, nil) }
        if take("?") { return (0, 1) }
        guard rest.first == "{" else { return nil }
        var ahead = rest.dropFirst()
        let low = Self.number(&ahead)
        var high = low
        if ahead.first == "," {
            ahead.removeFirst()
            high = Self.number(&ahead)
        }
        // What is no repetition is a brace.
        guard ahead.first == "}", low != nil || high != nil else { return nil }
        rest = ahead.dropFirst()
        let least = low ?? 0
        guard least <= Self.maxCount, least <= (high ?? least), (high ?? 0) <= Self.maxCount else {
            throw Self.unreadable("a repetition")
        }
        return (least, high)
    }

    private static func number(_ text: inout ArraySlice<Unicode.Scalar>) -> Int? {
        var number: Int?
        while let digit = text.first, ("0"..."9").contains(digit) {
            number = min((number ?? 0) * 10 + Int(digit.value - 48), 1_000_000)
            text.removeFirst()
        }
        return number
    }

    private mutating func atom() throws(ProtocolError) -> BoundedRegex.Node {
        guard let scalar = rest.popFirst() else { return .empty }
        switch scalar {
        case ".": return .one(.any)
        case "^": return .start
        case "$": return .end
        case "(": return try group()
        case "[": return .one(try set())
        case "\\": return try escape()
        case "*", "+", "?": throw Self.unreadable("nothing to repeat")
        default: return .one(.scalar(scalar))
        }
    }

    private mutating func group() throws(ProtocolError) -> BoundedRegex.Node {
        if take("?") {
            _ = take("P")
            if take("<"), rest.first != "=", rest.first != "!" {
                while let scalar = rest.popFirst(), scalar != ">" {}
            } else if !take(":") {
                throw Self.unreadable("an extension of groups that is not supported")
            }
        }
        depth += 1
        guard depth <= Self.maxDepth else { throw Self.unreadable("groups are nested too deep") }
        let node = try either()
        guard take(")") else { throw Self.unreadable("a group that does not end") }
        depth -= 1
        return node
    }

    private mutating func escape() throws(ProtocolError) -> BoundedRegex.Node {
        switch rest.first {
        case "b", "B": return .wordEdge(negated: rest.removeFirst() == "B")
        case "A":
            rest.removeFirst()
            return .start
        case "Z", "z":
            rest.removeFirst()
            return .end
        default: return .one(try escapedSet())
        }
    }

    private mutating func escapedSet() throws(ProtocolError) -> BoundedRegex.CharacterSet {
        guard let scalar = rest.popFirst() else { throw Self.unreadable("a backslash at the end") }
        func opposite(_ set: BoundedRegex.CharacterSet) -> BoundedRegex.CharacterSet {
            BoundedRegex.CharacterSet(ranges: set.ranges, negated: true)
        }
        switch scalar {
        case "d": return .digit
        case "w": return .word
        case "s": return .space
        case "D": return opposite(.digit)
        case "W": return opposite(.word)
        case "S": return opposite(.space)
        case "n": return .scalar("\n")
        case "r": return .scalar("\r")
        case "t": return .scalar("\t")
        case _ where scalar.properties.isAlphabetic || ("0"..."9").contains(scalar):
            throw Self.unreadable("an escape that is not supported")
        default: return .scalar(scalar)
        }
    }

    private mutating func set() throws(ProtocolError) -> BoundedRegex.CharacterSet {
        var set = BoundedRegex.CharacterSet(negated: take("^"))
        var isFirst = true
        while let scalar = rest.popFirst() {
            if scalar == "]", !isFirst { return set }
            isFirst = false
            let low = scalar == "\\" ? try escapedSet() : .scalar(scalar)
            guard rest.first == "-", rest.dropFirst().first != "]", rest.count > 1 else {
                set.ranges += low.plainRanges
                continue
            }
            rest.removeFirst()
            let next = rest.removeFirst()
            let high = next == "\\" ? try escapedSet() : .scalar(next)
            guard let first = low.single, let last = high.single, first <= last else {
                throw Self.unreadable("a range of characters")
            }
            set.ranges.append(first...last)
        }
        throw Self.unreadable("a set of characters that does not end")
    }
}

extension BoundedRegex.CharacterSet {
    /// The one character of the set; nil where there are others.
    fileprivate var single: Unicode.Scalar? {
        guard !negated, ranges.count == 1, ranges[0].lowerBound == ranges[0].upperBound else { return nil }
        return ranges[0].lowerBound
    }
}
