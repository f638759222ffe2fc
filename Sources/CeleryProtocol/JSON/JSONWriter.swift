import FoundationEssentials
import OrderedCollections

/// Writes values as Python's `json.dumps` with kombu's encoder does, byte for byte.
enum JSONWriter {
    static func write(_ value: JSONValue, to output: inout [UInt8]) {
        switch value {
        case .null: output += "null".utf8
        case .bool(let flag): output += (flag ? "true" : "false").utf8
        case .int(let number): ASCII.append(number, to: &output)
        case .bigInteger(let digits): write(bigInteger: digits, to: &output)
        case .double(let number): write(number, to: &output)
        case .string(let text): write(text, to: &output)
        case .array(let elements): write(elements, to: &output)
        case .object(let entries): write(entries, to: &output)
        case .datetime(let date): writeEnvelope(.datetime, date.text, to: &output)
        case .date(let text): writeEnvelope(.date, text, to: &output)
        case .time(let text): writeEnvelope(.time, text, to: &output)
        case .decimal(let text): writeEnvelope(.decimal, text, to: &output)
        case .uuid(let uuid): write(uuid, to: &output)
        case .bytes(let bytes): write(bytes: bytes, to: &output)
        }
    }

    static func write(_ elements: [JSONValue], to output: inout [UInt8]) {
        output.append(UInt8(ascii: "["))
        var isFirst = true
        for element in elements {
            if !isFirst { output += ", ".utf8 }
            isFirst = false
            write(element, to: &output)
        }
        output.append(UInt8(ascii: "]"))
    }

    static func write(_ entries: JSONObject, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "{"))
        var isFirst = true
        for (key, value) in entries {
            if !isFirst { output += ", ".utf8 }
            isFirst = false
            write(key, to: &output)
            output += ": ".utf8
            write(value, to: &output)
        }
        output.append(UInt8(ascii: "}"))
    }

    private static func write(_ number: Double, to output: inout [UInt8]) {
        if number.isFinite {
            PythonFloat.write(number, to: &output)
        } else {
            output += (number.isNaN ? "NaN" : number < 0 ? "-Infinity" : "Infinity").utf8
        }
    }

    /// Writes the digits, or a string where the text is no integer and would break the JSON around it.
    private static func write(bigInteger text: String, to output: inout [UInt8]) {
        let digits = text.utf8.drop { $0 == UInt8(ascii: "-") }
        let isInteger =
            text.utf8.count - digits.count <= 1 && !digits.isEmpty
            && digits.allSatisfy { ASCII.decimalDigit($0) != nil }
            && (digits.first != UInt8(ascii: "0") || digits.count == 1)
        if isInteger {
            output += text.utf8
        } else {
            write(text, to: &output)
        }
    }

    // MARK: Extended types

    private static func write(_ uuid: UUID, to output: inout [UInt8]) {
        output += #"{"__type__": "uuid", "__value__": {"hex": ""#.utf8
        uuid.writeHexadecimal(dashes: false, to: &output)
        output += #""}}"#.utf8
    }

    /// Bytes that are text travel as `bytes`, others as `base64`.
    private static func write(bytes: [UInt8], to output: inout [UInt8]) {
        if let text = String(validating: bytes, as: UTF8.self) {
            writeEnvelope(.bytes, text, to: &output)
        } else {
            output += #"{"__type__": "base64", "__value__": ""#.utf8
            Base64.encode(bytes, to: &output)
            output += #""}"#.utf8
        }
    }

    private static func writeEnvelope(_ type: ExtendedType, _ text: String, to output: inout [UInt8]) {
        output += #"{"__type__": ""#.utf8
        output += type.rawValue.utf8
        output += #"", "__value__": "#.utf8
        write(text, to: &output)
        output.append(UInt8(ascii: "}"))
    }
}
