extension BasicProperties {
    /// Bytes of the flags and the properties on the wire.
    var encodedSize: Int {
        var size = 2
        func add(_ text: String?) {
            if let text { size += 1 + text.utf8.count }
        }
        add(contentType)
        add(contentEncoding)
        add(correlationID)
        add(replyTo)
        add(expiration)
        add(messageID)
        add(type)
        add(userID)
        add(appID)
        add(clusterID)
        if deliveryMode != nil { size += 1 }
        if priority != nil { size += 1 }
        if timestamp != nil { size += 8 }
        return size + (headers?.encodedSize ?? 0)
    }
}

extension FieldTable {
    /// Bytes of the table on the wire, with its length before it.
    var encodedSize: Int {
        fields.reduce(4) { $0 + 1 + $1.name.utf8.count + $1.value.encodedSize }
    }
}

extension FieldValue {
    /// Bytes of the value on the wire, with its type's octet.
    var encodedSize: Int {
        switch self {
        case .void: 1
        case .bool, .int8, .uint8: 2
        case .int16, .uint16: 3
        case .int32, .uint32, .float: 5
        case .decimal: 6
        case .int64, .longLong, .double, .timestamp: 9
        case .string(let text): 5 + text.utf8.count
        case .longBytes(let bytes), .bytes(let bytes): 5 + bytes.count
        case .array(let elements): elements.reduce(5) { $0 + $1.encodedSize }
        case .table(let table): 1 + table.encodedSize
        }
    }
}
