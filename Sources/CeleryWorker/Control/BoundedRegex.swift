import CeleryProtocol

/// A regular expression whose matching takes no longer than the product of the lengths, whoever has written it.
///
/// It reads what Python's `re` and PCRE have in common for names: literals, `.`, classes, `\d \w \s` and their opposites,
/// anchors, groups, alternatives, and quantifiers. Back references and looking around, which need backtracking, are refused.
struct BoundedRegex: Sendable {
    indirect enum Node: Sendable {
        case empty
        case one(CharacterSet)
        case start
        case end
        case wordEdge(negated: Bool)
        case sequence([Node])
        case either([Node])
        case repeated(Node, min: Int, max: Int?)
    }

    /// What a step of the matcher's program does.
    fileprivate enum Step: Sendable {
        case take(CharacterSet)
        case fork(Int, Int)
        case jump(Int)
        case assertStart
        case assertEnd
        case assertWordEdge(negated: Bool)
        case accept
    }

    /// Most steps of a program: repetitions are written out.
    private static let maxSteps = 4_096

    private var program: [Step] = []
    private var work = 0

    /// Reads an expression.
    ///
    /// - Throws: ``ProtocolError/Code/invalidControl``.
    init(_ pattern: String) throws(ProtocolError) {
        var parser = BoundedRegexParser(pattern)
        try emit(try parser.parse())
        program.append(.accept)
    }

    /// Whether the expression matches from the start of the text, and not necessarily up to its end (`re.match`).
    func matchesStart(of text: String) -> Bool {
        let scalars = Array(text.unicodeScalars)
        var current: [Int] = []
        var marks = [Int](repeating: -1, count: program.count)
        for position in 0...scalars.count {
            var next: [Int] = []
            if position == 0 { if reach(0, position, scalars, &marks, &current) { return true } }
            guard position < scalars.count, !current.isEmpty else { return false }
            for step in current {
                guard case .take(let set) = program[step], set.contains(scalars[position]) else { continue }
                if reach(step + 1, position + 1, scalars, &marks, &next) { return true }
            }
            current = next
        }
        return false
    }

    /// Follows all steps that take no character; whether one of them accepts.
    private func reach(
        _ start: Int,
        _ position: Int,
        _ text: [Unicode.Scalar],
        _ marks: inout [Int],
        _ found: inout [Int]
    ) -> Bool {
        var pending = [start]
        while let step = pending.popLast() {
            guard marks[step] != position else { continue }
            marks[step] = position
            switch program[step] {
            case .take: found.append(step)
            case .fork(let first, let second): pending += [second, first]
            case .jump(let target): pending.append(target)
            case .assertStart: if position == 0 { pending.append(step + 1) }
            case .assertEnd: if Self.isEnd(position, text) { pending.append(step + 1) }
            case .assertWordEdge(let negated):
                if Self.isWordEdge(position, text) != negated { pending.append(step + 1) }
            case .accept: return true
            }
        }
        return false
    }

    /// `$` also stands before a line feed at the end.
    private static func isEnd(_ position: Int, _ text: [Unicode.Scalar]) -> Bool {
        position == text.count || (position == text.count - 1 && text[position] == "\n")
    }

    private static func isWordEdge(_ position: Int, _ text: [Unicode.Scalar]) -> Bool {
        let before = position > 0 && CharacterSet.word.contains(text[position - 1])
        let after = position < text.count && CharacterSet.word.contains(text[position])
        return before != after
    }
}

// MARK: - Compiling

extension BoundedRegex {
    private mutating func emit(_ node: Node) throws(ProtocolError) {
        work += 1
        // Repetitions of nothing write no step.
        guard program.count < Self.maxSteps, work < 4 * Self.maxSteps else {
            throw ProtocolError(.invalidControl, "the regular expression is too large")
        }
        switch node {
        case .empty: break
        case .one(let set): program.append(.take(set))
        case .start: program.append(.assertStart)
        case .end: program.append(.assertEnd)
        case .wordEdge(let negated): program.append(.assertWordEdge(negated: negated))
        case .sequence(let nodes): for node in nodes { try emit(node) }
        case .either(let nodes): try emit(either: nodes[...])
        case .repeated(let node, let min, let max):
            for _ in 0..<min { try emit(node) }
            if let max {
                for _ in min..<max { try emit(optional: node) }
            } else {
                try emit(star: node)
            }
        }
    }

    private mutating func emit(either nodes: ArraySlice<Node>) throws(ProtocolError) {
        guard let first = nodes.first else { return }
        guard nodes.count > 1 else { return try emit(first) }
        let fork = program.count
        program.append(.accept)
        try emit(first)
        let jump = program.count
        program.append(.accept)
        program[fork] = .fork(fork + 1, program.count)
        try emit(either: nodes.dropFirst())
        program[jump] = .jump(program.count)
    }

    private mutating func emit(optional node: Node) throws(ProtocolError) {
        let fork = program.count
        program.append(.accept)
        try emit(node)
        program[fork] = .fork(fork + 1, program.count)
    }

    private mutating func emit(star node: Node) throws(ProtocolError) {
        let fork = program.count
        program.append(.accept)
        try emit(node)
        program.append(.jump(fork))
        program[fork] = .fork(fork + 1, program.count)
    }
}

extension BoundedRegex {
    /// Characters that one place of an expression takes.
    struct CharacterSet: Sendable, Hashable {
        var ranges: [ClosedRange<Unicode.Scalar>] = []
        var negated = false

        static let digit = CharacterSet(ranges: ["0"..."9"])
        static let word = CharacterSet(ranges: ["a"..."z", "A"..."Z", "0"..."9", "_"..."_"])
        static let space = CharacterSet(ranges: [" "..." ", "\t"..."\r"])
        /// `.`: everything but a line feed.
        static let any = CharacterSet(ranges: ["\n"..."\n"], negated: true)

        static func scalar(_ scalar: Unicode.Scalar) -> CharacterSet { CharacterSet(ranges: [scalar...scalar]) }

        func contains(_ scalar: Unicode.Scalar) -> Bool { ranges.contains { $0.contains(scalar) } != negated }

        /// The ranges, those of a negated set turned round.
        var plainRanges: [ClosedRange<Unicode.Scalar>] {
            guard negated else { return ranges }
            var result: [ClosedRange<Unicode.Scalar>] = []
            var next: UInt32 = 0
            for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
                if range.lowerBound.value > next, let low = Unicode.Scalar(next),
                    let high = Unicode.Scalar(range.lowerBound.value - 1)
                {
                    result.append(low...high)
                }
                next = max(next, range.upperBound.value + 1)
            }
            if let low = Unicode.Scalar(next) { result.append(low..."\u{10FFFF}") }
            return result
        }
    }
}
