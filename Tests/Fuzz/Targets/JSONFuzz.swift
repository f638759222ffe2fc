import CeleryProtocol
import FoundationEssentials

/// JSON in Python's dialect: read, written, read again; and the way through `Codable`.
enum JSONFuzz {
    static func run(_ input: [UInt8]) {
        do throws(ProtocolError) {
            let value = try JSONValue(parsing: input)
            require(String(validating: input, as: UTF8.self) != nil, "what is read is UTF-8")
            checkRoundTrip(value)
            checkCoding(value)
            checkRepr(value)
        } catch {
            Canary.check(error)
        }
        checkReplacing(input)
    }

    /// What is written is read as the same, and writes the same bytes again.
    @discardableResult
    static func checkRoundTrip(_ value: JSONValue) -> [UInt8] {
        let written = write(value)
        require(written.allSatisfy { $0 < 0x80 }, "what is written is ASCII")
        do throws(ProtocolError) {
            let read = try JSONValue(parsing: written)
            require(write(read) == written, "bytes stay the same")
            // No NaN equals itself.
            require(read == value || holdsNaN(value), "the value stays the same")
        } catch {
            fatalError("broken rule: what was written is read: \(error)")
        }
        return written
    }

    static func write(_ value: JSONValue) -> [UInt8] {
        var output: [UInt8] = []
        value.write(to: &output)
        return output
    }

    static func holdsNaN(_ value: JSONValue) -> Bool {
        switch value {
        case .double(let number): number.isNaN
        case .array(let elements): elements.contains(where: holdsNaN)
        case .object(let entries): entries.values.contains(where: holdsNaN)
        default: false
        }
    }

    /// Halves of surrogate pairs are the only difference between the two ways to deal with them.
    private static func checkReplacing(_ input: [UInt8]) {
        let limits = JSONLimits(loneSurrogates: .replace)
        do throws(ProtocolError) {
            checkRoundTrip(try JSONValue(parsing: input, limits: limits))
        } catch {
            require(error.code != .loneSurrogate, "halves of surrogate pairs are replaced")
            Canary.check(error)
        }
    }

    // MARK: Codable

    private struct Sample: Codable {
        var int: Int?
        var small: Int8?
        var unsigned: UInt64?
        var double: Double?
        var float: Float?
        var text: String?
        var flag: Bool?
        var date: Date?
        var data: Data?
        var id: UUID?
        var decimal: Decimal?
        var list: [JSONValue]?
        var map: [String: Int]?
        var nested: [Sample]?
    }

    private static func checkCoding(_ value: JSONValue) {
        let hasNaN = holdsNaN(value)
        let decoder = JSONValueDecoder()
        if let same = try? decoder.decode(JSONValue.self, from: value) {
            require(same == value || hasNaN, "a value is decoded as it is")
        }
        if let same = try? JSONValueEncoder().encode(value) {
            require(same == value || hasNaN, "a value is encoded as it is")
        }
        do {
            let sample = try decoder.decode(Sample.self, from: value)
            let encoded = try JSONValueEncoder().encode(sample)
            let again = try JSONValueEncoder().encode(decoder.decode(Sample.self, from: encoded))
            require(write(again) == write(encoded), "a decoded structure stays the same")
        } catch {
            if !holdsCanaryKey(value) { Canary.check(error) }
        }
        _ = try? decoder.decode([Decimal].self, from: value)
        _ = try? decoder.decode([Date].self, from: value)
        _ = try? decoder.decode([String: [UInt16]].self, from: value)
    }

    /// The coding path of an error names keys.
    private static func holdsCanaryKey(_ value: JSONValue) -> Bool {
        switch value {
        case .array(let elements): elements.contains(where: holdsCanaryKey)
        case .object(let entries):
            entries.contains { $0.key.uppercased().contains(Canary.text) || holdsCanaryKey($0.value) }
        default: false
        }
    }

    // MARK: Texts for people

    /// Up to twice the budget, as in Celery: a text is escaped after it was shortened.
    ///
    /// Brackets that close what the budget has cut come on top.
    static func checkRepr(_ value: JSONValue) {
        let bound = 2 * PythonRepr.defaultMaxLength + 64
        require(PythonRepr.repr(value).unicodeScalars.count <= bound, "a short text is short")
        require(PythonRepr.repr(value, maxLevels: 0).unicodeScalars.count <= bound + 256, "a short text is short")
        require(PythonRepr.arguments([value, value]).unicodeScalars.count <= bound, "a short text is short")
        if case .object(let entries) = value {
            require(PythonRepr.keywords(entries).unicodeScalars.count <= bound, "a short text is short")
        }
    }
}
