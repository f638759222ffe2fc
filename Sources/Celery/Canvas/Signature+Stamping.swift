internal import OrderedCollections

extension Signature {
    /// The signature with stamps on all of its tasks, callbacks and errbacks (Celery's `stamp`).
    ///
    /// Stamps are headers of the messages, which monitors show and by which tasks are revoked. Of two values of a stamp the
    /// one that is given counts, then the visitor's, then the one that is there already. As with Celery, the body of a chord
    /// is stamped by a visitor only.
    ///
    /// - Parameters:
    ///   - stamps: names and values.
    ///   - visitor: what gives further stamps, task by task.
    ///   - append: whether a stamp with several values becomes the list of them.
    public func stamp(
        _ stamps: JSONObject = [:],
        visitor: (any StampingVisitor)? = nil,
        append: Bool = false
    ) -> Signature {
        Stamping(visitor: visitor, append: append).stamped(self, Stamps(stamps), depth: 0)
    }

    /// The signature as one that cannot be sent for this reason; itself where there is none.
    func failing(_ error: CeleryError?) -> Signature {
        var changed = self
        changed.encodingError = changed.encodingError ?? error
        return changed
    }
}

/// One walk through a workflow that stamps it (`celery.canvas.Signature.stamp` and its overrides).
private struct Stamping {
    let visitor: (any StampingVisitor)?
    let append: Bool

    func stamped(_ signature: Signature, _ given: Stamps, depth: Int) -> Signature {
        guard depth < JSONLimits.greatestDepth else {
            return signature.failing(CeleryError(.invalidSignature, "signatures are nested too deep"))
        }
        switch signature.subtaskType {
        case "chain": return stampedChain(signature, given, depth)
        case "group": return stampedGroup(signature, given, depth)
        case "chord": return stampedChord(signature, given, depth)
        default: return stampedTask(signature, given, depth)
        }
    }

    private func stampedTask(_ signature: Signature, _ given: Stamps, _ depth: Int) -> Signature {
        var changed = links(of: signature, given, append: append, depth)
        let own = given.collected(visitor?.onSignature(changed, given.values), of: changed.wire.options, append)
        changed.wire.options.merge(own.values) { _, new in new }
        return changed
    }

    private func stampedChain(_ chain: Signature, _ given: Stamps, _ depth: Int) -> Signature {
        let stamps = given.collected(visitor?.onChainStart(chain, given.values), of: chain.wire.options, append)
        var changed = links(of: chain, stamps, append: false, depth)
        changed.changeMembers { stamped($0, stamps, depth: depth + 1) }
        visitor?.onChainEnd(changed, stamps.values)
        return changed
    }

    private func stampedGroup(_ group: Signature, _ given: Stamps, _ depth: Int) -> Signature {
        let stamps = given.collected(visitor?.onGroupStart(group, given.values), of: group.wire.options, append)
        var changed = links(of: group, stamps, append: append, depth)
        changed.changeMembers { stamped($0, stamps, depth: depth + 1) }
        visitor?.onGroupEnd(changed, stamps.values)
        return changed
    }

    private func stampedChord(_ chord: Signature, _ given: Stamps, _ depth: Int) -> Signature {
        var stamps = given.collected(visitor?.onChordHeaderStart(chord, given.values), of: chord.wire.options, append)
        var changed = links(of: chord, stamps, append: append, depth)
        changed.changeMembers { stamped($0, stamps, depth: depth + 1) }
        guard let visitor else { return changed }
        visitor.onChordHeaderEnd(changed, stamps.values)
        stamps = stamps.collected(visitor.onChordBody(changed, stamps.values), of: changed.wire.options, append)
        changed.changeBody { stamped($0, stamps, depth: depth + 1) }
        return changed
    }

    /// Stamps callbacks and errbacks; each passes its stamps on to the next one of its kind, as Celery's do.
    private func links(of signature: Signature, _ given: Stamps, append: Bool, _ depth: Int) -> Signature {
        let walk = Stamping(visitor: visitor, append: append)
        var changed = signature
        var stamps = given
        changed.changeLinks(.link) { link in
            stamps = stamps.collected(visitor?.onCallback(link, stamps.values), of: nil, append)
            return walk.stamped(link, stamps, depth: depth + 1)
        }
        stamps = given
        changed.changeLinks(.linkError) { link in
            stamps = stamps.collected(visitor?.onErrback(link, stamps.values), of: nil, append)
            return walk.stamped(link, stamps, depth: depth + 1)
        }
        return changed
    }
}

/// Stamps with their names, as they are handed down (`celery.canvas.Signature._stamp_headers`).
private struct Stamps {
    private static let namesKey = "stamped_headers"

    /// The stamps, and their names under `stamped_headers` once they were collected.
    private(set) var values: JSONObject

    init(_ values: JSONObject) { self.values = values }

    private var names: [JSONValue] { values[Self.namesKey]?.arrayValue ?? [] }

    /// These stamps with those of a visitor and those of the signature itself.
    func collected(_ visitors: JSONObject?, of options: JSONObject?, _ append: Bool) -> Stamps {
        var collected = named
        if let visitors {
            collected.merge(Stamps(visitors).named.values, append)
            collected.setNames(collected.names)
        }
        if let options {
            collected.setNames(collected.names + (options[Self.namesKey]?.arrayValue ?? []))
            let known = Set(collected.names.compactMap(\.stringValue))
            collected.merge(options.filter { known.contains($0.key) }, append)
        }
        return collected
    }

    private var named: Stamps {
        guard values[Self.namesKey] == nil else { return self }
        var named = self
        named.setNames(values.keys.map(JSONValue.string))
        return named
    }

    private mutating func setNames(_ names: [JSONValue]) {
        var unique = OrderedSet<JSONValue>()
        for name in names { unique.append(name) }
        values[Self.namesKey] = .array(Array(unique))
    }

    private mutating func merge(_ others: JSONObject, _ append: Bool) {
        values = Self.merged(values, others, append)
    }

    /// `celery.canvas._merge_dictionaries`: what is there stays, and lists grow.
    private static func merged(_ own: JSONObject, _ others: JSONObject, _ append: Bool) -> JSONObject {
        var merged = own
        for (key, value) in others {
            guard let present = merged[key] else {
                merged[key] = value
                continue
            }
            switch (present, value) {
            case (.object(let left), .object(let right)): merged[key] = .object(self.merged(left, right, append))
            case (.array(let left), .array(let right)): merged[key] = .array(left + right)
            case (.object, _): break
            case (.array(let left), _) where append: merged[key] = .array(left + [value])
            case (.null, _) where append: merged[key] = .array([value])
            case (_, .array(let right)) where append: merged[key] = .array([present] + right)
            case (_, _) where append: merged[key] = .array([present, value])
            default: break
            }
        }
        return merged
    }
}
