extension ChordManifest {
    /// What stands at a place in the list of results that a chord's body gets.
    public enum Shape: Sendable, Hashable {
        /// The result of one task.
        case task
        /// The results of a group at the end of a chain, or of a nested chord's body that is a group.
        case list([Shape])
    }

    /// The results as the body gets them.
    ///
    /// - Parameter results: one for each member, in their order; nil for one that is left out.
    public func bodyArgument(_ results: [JSONValue?]) -> JSONValue {
        .array(shape.map { Self.nested(results, $0) } ?? results.compactMap(\.self))
    }

    /// Results put into lists, in their order.
    public static func nested(_ results: [JSONValue?], _ shape: [Shape]) -> [JSONValue] {
        var rest = results[...]
        return nested(&rest, shape)
    }

    private static func nested(_ rest: inout ArraySlice<JSONValue?>, _ shape: [Shape]) -> [JSONValue] {
        var nested: [JSONValue] = []
        for part in shape {
            switch part {
            case .task:
                if let result = rest.popFirst(), let result { nested.append(result) }
            case .list(let parts):
                nested.append(.array(self.nested(&rest, parts)))
            }
        }
        return nested
    }

    /// The shape as it travels: true for a task, a list for a list.
    static func json(_ shape: [Shape]) -> [JSONValue] {
        shape.map { part in
            switch part {
            case .task: true
            case .list(let parts): .array(json(parts))
            }
        }
    }

    /// Reads a shape, which has to have a place for each member.
    ///
    /// - Throws: ``ProtocolError/Code/invalidSignature``. The depth is that of the JSON, which its reader bounds.
    static func shape(_ json: JSONValue?, members: Int) throws(ProtocolError) -> [Shape]? {
        guard let json, !json.isNull else { return nil }
        var count = 0
        guard case .array(let elements) = json, let shape = shape(elements, &count), count == members else {
            throw invalid("its shape does not fit its members")
        }
        return shape
    }

    private static func shape(_ elements: [JSONValue], _ count: inout Int) -> [Shape]? {
        var shape: [Shape] = []
        for element in elements {
            switch element {
            case .bool(true):
                count += 1
                shape.append(.task)
            case .array(let parts):
                guard let nested = self.shape(parts, &count) else { return nil }
                shape.append(.list(nested))
            default:
                return nil
            }
        }
        return shape
    }
}
