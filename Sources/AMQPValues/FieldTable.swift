/// An AMQP field table: names and values in the order of the wire.
///
/// Names may repeat on the wire; a look-up answers the last one, as a Python dictionary would.
public struct FieldTable: Sendable, Hashable {
    /// One field of a table.
    public struct Field: Sendable, Hashable {
        /// The field's name, at most 255 bytes of UTF-8.
        public var name: String
        /// The field's value.
        public var value: FieldValue

        /// Makes a field.
        public init(_ name: String, _ value: FieldValue) {
            self.name = name
            self.value = value
        }
    }

    /// The fields in the order of the wire.
    public private(set) var fields: [Field]

    /// Makes a table of fields in this order.
    public init(_ fields: [Field] = []) {
        self.fields = fields
    }

    /// The value of the last field of this name; setting replaces it in place, appends it, or with nil removes it.
    public subscript(name: String) -> FieldValue? {
        get { fields.last { $0.name == name }?.value }
        set {
            let index = fields.lastIndex { $0.name == name }
            switch (index, newValue) {
            case (let index?, let value?): fields[index].value = value
            case (let index?, nil): fields.remove(at: index)
            case (nil, let value?): fields.append(Field(name, value))
            case (nil, nil): break
            }
        }
    }

    /// Appends a field without a look-up for an earlier one of the same name.
    public mutating func append(_ name: String, _ value: FieldValue) {
        fields.append(Field(name, value))
    }

    /// Makes room for this many fields.
    public mutating func reserveCapacity(_ count: Int) {
        fields.reserveCapacity(count)
    }

    /// Whether the table has no fields.
    public var isEmpty: Bool { fields.isEmpty }

    /// How many fields the table has.
    public var count: Int { fields.count }
}

extension FieldTable: Sequence {
    /// Walks over the fields in the order of the wire.
    public func makeIterator() -> IndexingIterator<[Field]> { fields.makeIterator() }
}

extension FieldTable: ExpressibleByDictionaryLiteral {
    /// Makes a table in the order of the literal.
    public init(dictionaryLiteral elements: (String, FieldValue)...) {
        self.init(elements.map { Field($0.0, $0.1) })
    }
}
