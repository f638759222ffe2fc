public import AMQPValues

extension TaskHeaders {
    /// Reads a header table in one pass, in whatever order the broker left it.
    ///
    /// Only `task` and `id` are required. Of a repeated header the last one counts. Headers that Celery does not know go
    /// to ``custom``.
    ///
    /// - Throws: ``ProtocolError/Code/missingHeader`` or ``ProtocolError/Code/wrongHeaderType``, naming the header.
    public init(decoding table: FieldTable) throws(ProtocolError) {
        self.init(task: "", id: "")
        rootID = nil
        var task: String?
        var id: String?
        var expected: TaskHeaderName? = .lang
        // Every delivery comes through here: a span lends its elements, where iterating would copy each of them.
        let fields = table.fields.span
        for index in fields.indices {
            let name = TaskHeaderName(fields[index].name, expecting: expected)
            expected = name?.next
            switch name {
            case nil: custom.append(fields[index].name, fields[index].value)
            case .task?: task = try Self.text(fields[index].value, .task)
            case .id?: id = try Self.text(fields[index].value, .id)
            case let name?: try set(name, fields[index].value)
            }
        }
        guard let task else { throw Self.missing(.task) }
        guard let id else { throw Self.missing(.id) }
        self.task = task
        self.id = id
    }

    private mutating func set(_ name: TaskHeaderName, _ value: FieldValue) throws(ProtocolError) {
        switch name {
        case .lang: lang = try Self.text(value, name) ?? lang
        case .task, .id: break
        case .shadow: shadow = try Self.text(value, name)
        case .eta: eta = try Self.text(value, name)
        case .expires: expires = try Self.text(value, name)
        case .group: group = try Self.text(value, name)
        case .groupIndex: groupIndex = try Self.integer(value, name)
        case .retries: retries = try Self.count(value, name)
        case .timeLimit: (hardLimit, softLimit) = try Self.timeLimits(value)
        case .rootID: rootID = try Self.text(value, name)
        case .parentID: parentID = try Self.text(value, name)
        case .argsrepr: argsrepr = try Self.text(value, name)
        case .kwargsrepr: kwargsrepr = try Self.text(value, name)
        case .origin: origin = try Self.text(value, name)
        case .ignoreResult: ignoreResult = try Self.flag(value, name)
        case .replacedTaskNesting: replacedTaskNesting = try Self.count(value, name)
        case .stampedHeaders: stampedHeaders = try Self.names(value, name)
        case .stamps: stamps = try Self.table(value, name)
        case .compression: compression = try Self.text(value, name)
        }
    }
}

extension TaskHeaders {
    private static func text(_ value: FieldValue, _ name: TaskHeaderName) throws(ProtocolError) -> String? {
        switch value {
        case .string(let text): return text
        case .void: return nil
        default: throw wrongType(name, "text")
        }
    }

    private static func integer(_ value: FieldValue, _ name: TaskHeaderName) throws(ProtocolError) -> Int? {
        if case .void = value { return nil }
        guard let number = value.intValue else { throw wrongType(name, "an integer") }
        return number
    }

    /// A number that others count upwards: bounded, so that adding one can never overflow.
    private static func count(_ value: FieldValue, _ name: TaskHeaderName) throws(ProtocolError) -> Int {
        guard let number = try integer(value, name) else { return 0 }
        guard (0...Int(Int32.max)).contains(number) else { throw wrongType(name, "an integer from 0 to 2147483647") }
        return number
    }

    private static func flag(_ value: FieldValue, _ name: TaskHeaderName) throws(ProtocolError) -> Bool? {
        if case .void = value { return nil }
        guard let flag = value.boolValue else { throw wrongType(name, "a boolean") }
        return flag
    }

    /// `[hard, soft]`: hard first, against the order of Python's own interface.
    ///
    /// Empty and null mean no limits.
    private static func timeLimits(_ value: FieldValue) throws(ProtocolError) -> (TimeLimit, TimeLimit) {
        if case .void = value { return (.none, .none) }
        guard let limits = value.arrayValue else { throw wrongType(.timeLimit, "an array") }
        if limits.isEmpty { return (.none, .none) }
        guard limits.count == 2, let hard = TimeLimit(decoding: limits[0]), let soft = TimeLimit(decoding: limits[1])
        else { throw wrongType(.timeLimit, "an array of two numbers or nulls") }
        return (hard, soft)
    }

    private static func names(_ value: FieldValue, _ name: TaskHeaderName) throws(ProtocolError) -> [String]? {
        if case .void = value { return nil }
        guard let elements = value.arrayValue else { throw wrongType(name, "an array of text") }
        var names: [String] = []
        names.reserveCapacity(elements.count)
        for element in elements {
            guard let text = element.stringValue else { throw wrongType(name, "an array of text") }
            names.append(text)
        }
        return names
    }

    private static func table(_ value: FieldValue, _ name: TaskHeaderName) throws(ProtocolError) -> FieldTable {
        if case .void = value { return FieldTable() }
        guard let table = value.tableValue else { throw wrongType(name, "a table") }
        return table
    }

    private static func missing(_ name: TaskHeaderName) -> ProtocolError {
        ProtocolError(.missingHeader, "the header '\(name.wireName)' is missing or null")
    }

    private static func wrongType(_ name: TaskHeaderName, _ expected: String) -> ProtocolError {
        ProtocolError(.wrongHeaderType, "the header '\(name.wireName)' has to be \(expected)")
    }
}
