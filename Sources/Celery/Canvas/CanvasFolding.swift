internal import OrderedCollections

/// Joins steps to a chain by the rules of Celery's operator `|` (`celery.canvas._merge_chain_step`).
///
/// Nested chains are spliced in, empty groups dropped, groups of one task become that task; a group that a task follows
/// becomes a chord with it, and what follows a chord is joined to its body.
struct CanvasFolding {
    /// Chords of chords' bodies beyond this are left as the flat steps that workers make the same of, since every level
    /// costs depth in the message.
    private static let greatestDepth = 8

    private enum Step {
        case plain(Signature)
        indirect case chord(Signature, body: CanvasFolding)
    }

    private var steps: [Step] = []
    private let depth: Int

    private init(depth: Int) { self.depth = depth }

    /// The steps joined; one that is no chain where all of them have become one chord.
    static func fold(_ steps: [Signature]) -> [Signature] {
        var folding = CanvasFolding(depth: 0)
        var emptyGroup: Signature?
        var pending: [Signature] = steps.reversed()
        while let step = pending.popLast() {
            switch step.subtaskType {
            case "chain":
                guard let tasks = unchained(step) else { return folding.failed(with: step, pending) }
                pending.append(contentsOf: tasks.reversed())
            case "group":
                guard let members = step.readableMembers else { return folding.failed(with: step, pending) }
                switch members.count {
                case 0: emptyGroup = step
                case 1: pending.append(step.groupOfHeader.memberSignatures[0])
                default: folding.append(step)
                }
            default:
                folding.append(step)
            }
        }
        if folding.steps.isEmpty, let emptyGroup { return [emptyGroup] }
        return folding.signatures
    }

    /// The steps as they are from one on that cannot be read: whoever sends them says so.
    private consuming func failed(with step: Signature, _ pending: [Signature]) -> [Signature] {
        signatures + [step] + pending.reversed()
    }

    private mutating func append(_ step: Signature) {
        if case .plain(let group)? = steps.last, group.subtaskType == "group" {
            // Whoever sends the chain makes a chord of it at the latest.
            steps[steps.count - 1] = .plain(group.groupOfHeader)
        }
        guard depth < Self.greatestDepth, let last = steps.last else { return steps.append(.plain(step)) }
        switch last {
        case .plain(let group) where group.subtaskType == "group" && step.subtaskType != "group":
            var body = CanvasFolding(depth: depth + 1)
            body.append(step)
            steps[steps.count - 1] = .chord(Self.chord(of: group), body: body)
        case .chord(let chord, var body) where step.subtaskType != "chord":
            body.append(step)
            steps[steps.count - 1] = .chord(chord, body: body)
        case .plain(let chord) where chord.subtaskType == "chord" && step.subtaskType != "chord":
            guard let parts = chord.bodySignature.flatMap(Self.parts) else { return steps.append(.plain(step)) }
            var body = CanvasFolding(depth: depth + 1)
            for part in parts + [step] { body.append(part) }
            steps[steps.count - 1] = .chord(chord, body: body)
        default:
            steps.append(.plain(step))
        }
    }

    private var signatures: [Signature] {
        steps.map { step in
            switch step {
            case .plain(let signature): return signature
            case .chord(var chord, let body):
                let parts = body.signatures
                let joined = parts.count == 1 ? parts[0] : Signature.chain(of: parts)
                chord.wire.kwargs["body"] = joined.json
                chord.encodingError = chord.encodingError ?? joined.encodingError
                return chord
            }
        }
    }

    /// A chord without body of a group whose members have its options; its policy for failures goes over to the chord.
    private static func chord(of group: Signature) -> Signature {
        var chord = Signature.chord(of: [], body: Signature(""))
        chord.wire.kwargs["header"] = .array(group.memberSignatures.map(\.json))
        chord.wire.options = group.options
        chord.encodingError = group.encodingError
        return chord
    }

    private static func parts(of body: Signature) -> [Signature]? {
        body.subtaskType == "chain" ? unchained(body) : [body]
    }

    /// A nested chain's tasks, with its links on the last and its errbacks on all (`_chain.unchain_tasks`); nil for one that
    /// cannot be read.
    private static func unchained(_ chain: Signature) -> [Signature]? {
        guard var tasks = chain.readableMembers else { return nil }
        if let last = tasks.indices.last {
            for link in signatures(chain.options["link"]) { tasks[last] = tasks[last].link(link) }
        }
        for errback in signatures(chain.options["link_error"]) {
            for index in tasks.indices { tasks[index] = tasks[index].onError(errback) }
        }
        return tasks
    }

    private static func signatures(_ links: JSONValue?) -> [Signature] {
        guard let links, !links.isNull else { return [] }
        return (links.arrayValue ?? [links]).compactMap { try? Signature(decoding: $0) }
    }
}

extension Signature {
    /// A group as a chord's header has it: its members have its options, and only its policy for failures is its own.
    ///
    /// Its id is not its members'; it does not count, as in Celery.
    fileprivate var groupOfHeader: Signature {
        var given = options
        let policy = failurePolicy
        given["task_id"] = nil
        if case .object(var headers)? = given["headers"] {
            headers[GroupFailurePolicy.header] = nil
            given["headers"] = headers.isEmpty ? nil : .object(headers)
        }
        var group = self
        if !given.isEmpty { group.changeMembers { $0.set(given) } }
        group.wire.options = [:]
        if policy != .fail { group.wire.options.setPolicy(policy) }
        return group
    }
}
