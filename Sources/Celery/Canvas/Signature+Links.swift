internal import OrderedCollections

extension Signature {
    /// The signature with a callback that gets its result when it succeeds (Celery's `link`).
    ///
    /// A callback that is there already is not added again. Of a chord the body gets it, of a group the first task alone,
    /// and there without arguments.
    public func link(_ callback: some Workflow) -> Signature {
        let callback = callback.signature
        var changed = self
        switch subtaskType {
        case "group":
            var isFirst = true
            changed.changeMembers { member in
                defer { isFirst = false }
                return isFirst ? member.link(callback.immutable()) : member
            }
        case "chord":
            changed.changeBody { $0.link(callback) }
        default:
            changed.wire.appendOption(.link, callback.json)
        }
        changed.encodingError = changed.encodingError ?? callback.encodingError
        return changed
    }

    /// The signature with an errback (Celery's `on_error`).
    ///
    /// An errback gets the id of the failed task. One that is there already is not added again. Of a group all tasks get it,
    /// of a chord the body.
    public func onError(_ errback: some Workflow) -> Signature { addingErrback(errback.signature) }

    /// The signature with an errback, which tasks of chords' headers get, too, where that is wanted
    /// (`celery.canvas._chord.link_error`).
    func addingErrback(_ errback: Signature, inChordHeaders: Bool = false) -> Signature {
        var changed = self
        switch subtaskType {
        case "group":
            changed.changeMembers { $0.addingErrback(errback, inChordHeaders: inChordHeaders) }
        case "chord":
            changed.changeMembers { member in
                let linked = inChordHeaders ? member.addingErrback(errback.immutable()) : member
                // A nested chord sees to its own header and body.
                guard member.subtaskType == "chord" else { return linked }
                return linked.addingErrback(errback, inChordHeaders: inChordHeaders)
            }
            changed.changeBody { $0.addingErrback(errback, inChordHeaders: inChordHeaders) }
        default:
            changed.wire.appendOption(.linkError, errback.json)
        }
        changed.encodingError = changed.encodingError ?? errback.encodingError
        return changed
    }

    /// The signature with these options, named as Celery names them; they win over the stored ones (Celery's `set`).
    ///
    /// - Parameters:
    ///   - options: the options in the form in which they travel; null counts.
    ///   - immutable: whether the call takes no further arguments; nil leaves it as it is.
    public func set(_ options: JSONObject, immutable: Bool? = nil) -> Signature {
        var changed = self
        changed.wire.options.merge(options) { _, new in new }
        if let immutable { changed.wire.immutable = immutable }
        return changed
    }

    /// The signature merged with further arguments and options (Celery's `clone`, `partial`).
    ///
    /// Extra arguments stand before the stored ones, keyword arguments and options win over the stored ones. An immutable
    /// signature takes the options alone. A group's id and stamps, once set, stay.
    public func clone(
        args: [JSONValue] = [],
        kwargs: JSONObject = [:],
        options: TaskOptions = TaskOptions()
    ) -> Signature {
        var merged = self
        merged.wire = wire.merging(args: args, kwargs: kwargs, options: options.json)
        let links = options.link + options.linkError
        merged.encodingError = merged.encodingError ?? links.lazy.compactMap(\.encodingError).first
        return merged
    }
}
