public import AMQPValues

extension TaskHeaders {
    /// Writes the header table with Celery's order and types; absent values are AMQP's null.
    public func encoded() -> FieldTable {
        var fields: [FieldTable.Field] = []
        fields.reserveCapacity(TaskHeaderName.allCases.count + custom.count)
        appendStandard(to: &fields)
        if !custom.isEmpty { merge(custom, into: &fields) }
        if let compression { fields.append(.init(TaskHeaderName.compression.wireName, .string(compression))) }
        return FieldTable(fields)
    }

    private func appendStandard(to fields: inout [FieldTable.Field]) {
        func add(_ name: TaskHeaderName, _ value: FieldValue) { fields.append(.init(name.wireName, value)) }
        add(.lang, .string(lang))
        add(.task, .string(task))
        add(.id, .string(id))
        add(.shadow, .text(shadow))
        add(.eta, .text(eta))
        add(.expires, .text(expires))
        add(.group, .text(group))
        add(.groupIndex, groupIndex.map(FieldValue.integer) ?? .void)
        add(.retries, .integer(retries))
        add(.timeLimit, .array([hardLimit.field, softLimit.field]))
        add(.rootID, .text(rootID))
        add(.parentID, .text(parentID))
        add(.argsrepr, .text(argsrepr))
        add(.kwargsrepr, .text(kwargsrepr))
        add(.origin, .text(origin))
        add(.ignoreResult, ignoreResult.map(FieldValue.bool) ?? .void)
        add(.replacedTaskNesting, .integer(replacedTaskNesting))
        add(.stampedHeaders, stampedHeaders.map { .array($0.map(FieldValue.string)) } ?? .void)
        add(.stamps, .table(stamps))
    }

    /// Python's `dict.update`: a custom header takes the place of a standard one of its name.
    ///
    /// The standard headers stand at the index of their case, so that none is searched for.
    private func merge(_ custom: FieldTable, into fields: inout [FieldTable.Field]) {
        for field in custom {
            switch TaskHeaderName(field.name) {
            case .compression? where compression != nil: break
            case .compression?, nil: fields.append(field)
            case let standard?: fields[standard.rawValue].value = field.value
            }
        }
    }
}

extension FieldValue {
    /// A long string, or null.
    fileprivate static func text(_ text: String?) -> FieldValue {
        if let text { .string(text) } else { .void }
    }
}
