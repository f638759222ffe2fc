/// Writes the events of one sender, byte for byte as ``EventMessage`` does, without building maps of them.
package struct EventWriter: Sendable {
    /// What stands in front of the logical time in each event.
    private let prefix: [UInt8]

    /// Makes the writer of a sender.
    package init(hostname: String, utcOffset: Double, processID: Int) {
        var prefix: [UInt8] = Array(#"{"hostname": "#.utf8)
        JSONValue.string(hostname).write(to: &prefix)
        prefix += #", "utcoffset": "#.utf8
        JSONValue.double(utcOffset).write(to: &prefix)
        prefix += #", "pid": "#.utf8
        JSONValue.int(processID).write(to: &prefix)
        prefix += #", "clock": "#.utf8
        self.prefix = prefix
    }

    /// Appends an event.
    ///
    /// - Parameters:
    ///   - type: the event's type.
    ///   - clock: its logical time.
    ///   - timestamp: its time in seconds since 1970.
    ///   - output: where it goes.
    ///   - fields: puts what only this type has.
    package func write(
        _ type: String,
        clock: Int,
        timestamp: Double,
        to output: inout [UInt8],
        fields: (inout [UInt8]) -> Void
    ) {
        output += prefix
        JSONValue.int(clock).write(to: &output)
        fields(&output)
        Self.put("timestamp", .double(timestamp), &output)
        Self.put("type", .string(type), &output)
        output.append(UInt8(ascii: "}"))
    }

    /// Appends a field.
    ///
    /// - Parameters:
    ///   - name: the field's name, which needs no escaping.
    ///   - value: its value.
    ///   - output: where it goes.
    package static func put(_ name: String, _ value: JSONValue, _ output: inout [UInt8]) {
        output += #", ""#.utf8
        output += name.utf8
        output += #"": "#.utf8
        value.write(to: &output)
    }

    /// Appends a field of text, or null.
    package static func put(_ name: String, _ text: String?, _ output: inout [UInt8]) {
        put(name, text.map(JSONValue.string) ?? .null, &output)
    }
}
