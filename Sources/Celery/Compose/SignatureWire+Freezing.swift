internal import OrderedCollections

extension SignatureWire {
    /// Gives the signature an id and a reply queue where it has none, and its place in a workflow
    /// (`celery.canvas.Signature.freeze`).
    ///
    /// - Parameters:
    ///   - place: id, group and chord that the signature gets, where it is the last of a chain or a member of a group.
    ///   - rootID: the first task of the workflow, where it is known.
    /// - Returns: the id.
    mutating func freeze(_ place: TaskOptions?, rootID: String?, context: SendContext) -> String {
        let id = options["task_id"]?.stringValue ?? place?.taskID ?? context.makeID()
        options["task_id"] = .string(id)
        if let rootID { options["root_id"] = .string(rootID) }
        if options["reply_to"] == nil, let replyTo = context.replyTo { options["reply_to"] = .string(replyTo) }
        guard let place else { return id }
        if let groupID = place.groupID, options["group_id"] == nil { options["group_id"] = .string(groupID) }
        if let chord = place.chord { options["chord"] = chord }
        if let groupIndex = place.groupIndex { options["group_index"] = .int(groupIndex) }
        return id
    }

    /// Adds signatures to a list among the options, which may hold a single one; one that is there is not added again.
    mutating func appendOption(_ name: OptionName, _ added: JSONValue) {
        var list: [JSONValue]
        switch options[name.rawValue] {
        case nil, .null?: list = []
        case .array(let elements)?: list = elements
        case let single?: list = [single]
        }
        for signature in added.arrayValue ?? [added] where !list.contains(signature) { list.append(signature) }
        options[name.rawValue] = .array(list)
    }

    /// Sets an option that is not there.
    mutating func setDefault(_ name: String, _ value: JSONValue) {
        if options[name] == nil { options[name] = value }
    }
}
