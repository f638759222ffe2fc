internal import OrderedCollections

extension Signature {
    /// A chain's signature.
    package static func chain(of steps: [Signature], options: TaskOptions = TaskOptions()) -> Signature {
        canvas("chain", ["tasks": .array(steps.map(\.json))], options, parts: steps)
    }

    /// A group's signature.
    package static func group(of members: [Signature], options: TaskOptions = TaskOptions()) -> Signature {
        canvas("group", ["tasks": .array(members.map(\.json))], options, parts: members)
    }

    /// A chord's signature.
    package static func chord(
        of header: [Signature],
        body: Signature,
        options: TaskOptions = TaskOptions()
    ) -> Signature {
        let kwargs: JSONObject = ["kwargs": [:], "header": .array(header.map(\.json)), "body": body.json]
        return canvas("chord", kwargs, options, parts: header + [body])
    }

    private static func canvas(
        _ type: String,
        _ kwargs: JSONObject,
        _ options: TaskOptions,
        parts: [Signature]
    ) -> Signature {
        let wire = SignatureWire(task: "celery.\(type)", kwargs: kwargs, options: options.json, subtaskType: type)
        let links = options.link + options.linkError
        let error = parts.lazy.compactMap(\.encodingError).first ?? links.lazy.compactMap(\.encodingError).first
        return Signature(wire: wire, encodingError: error)
    }
}

// MARK: - Parts

extension Signature {
    /// The steps of a chain, the members of a group, or the header of a chord; what is no signature is left out.
    package var memberSignatures: [Signature] {
        memberJSON.compactMap { try? Signature(decoding: $0) }
    }

    /// The steps of a chain or the members of a group; nil where one cannot be read.
    var readableMembers: [Signature]? {
        let members = memberSignatures
        return encodingError == nil && members.count == memberJSON.count ? members : nil
    }

    /// The body of a chord.
    package var bodySignature: Signature? {
        guard subtaskType == "chord", let body = kwargs["body"], !body.isNull else { return nil }
        return try? Signature(decoding: body)
    }

    /// The header of a chord is a list, or a group where it was frozen.
    private var memberJSON: [JSONValue] {
        switch subtaskType {
        case "chain", "group": kwargs["tasks"]?.arrayValue ?? []
        case "chord": kwargs["header"]?.arrayValue ?? kwargs["header"]?["kwargs"]?["tasks"]?.arrayValue ?? []
        default: []
        }
    }

    /// Changes each step, member or task of the header.
    mutating func changeMembers(_ change: (Signature) -> Signature) {
        let changed = JSONValue.array(
            memberJSON.map { json in
                guard let member = try? Signature(decoding: json) else { return json }
                return change(member).json
            }
        )
        if subtaskType != "chord" {
            wire.kwargs["tasks"] = changed
        } else if case .object(var group)? = kwargs["header"], case .object(var inner)? = group["kwargs"] {
            inner["tasks"] = changed
            group["kwargs"] = .object(inner)
            wire.kwargs["header"] = .object(group)
        } else {
            wire.kwargs["header"] = changed
        }
    }

    /// Changes the body of a chord.
    mutating func changeBody(_ change: (Signature) -> Signature) {
        guard let body = bodySignature else { return }
        wire.kwargs["body"] = change(body).json
    }

    /// Changes the signatures of a list among the options, which may hold a single one.
    mutating func changeLinks(_ name: OptionName, _ change: (Signature) -> Signature) {
        guard let links = wire.options[name.rawValue], !links.isNull else { return }
        func changed(_ json: JSONValue) -> JSONValue {
            guard let link = try? Signature(decoding: json) else { return json }
            return change(link).json
        }
        wire.options[name.rawValue] = links.arrayValue.map { .array($0.map(changed)) } ?? changed(links)
    }
}
