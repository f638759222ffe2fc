import OrderedCollections

/// Writes one text token by token within a budget of characters.
///
/// When the budget is used up, the next token becomes `, ...` and only the brackets that are open are still closed.
struct ReprWriter {
    private let maxLevels: Int
    /// What is left of the budget in Unicode scalars; the last token shown may exceed it.
    private var remaining: Int
    private var level = 0
    private var isCutOff = false
    private var output: [UInt8] = []

    init(maxLevels: Int, maxLength: Int) {
        self.maxLevels = maxLevels
        self.remaining = maxLength
    }

    var text: String { String(decoding: output, as: UTF8.self) }

    mutating func write(_ value: JSONValue) {
        switch value {
        case .null: writeText("None")
        case .bool(let flag): writeText(flag ? "True" : "False")
        case .int(let number): writeText(String(number))
        case .bigInteger(let digits): writeText(digits)
        case .double(let number): writeText(Self.text(of: number))
        case .string(let text): writeQuoted(text)
        case .array(let elements): writeSequence(elements, opening: "[", closing: "]")
        case .object(let entries): write(entries)
        case .datetime, .date, .time, .decimal, .uuid: writeText(PythonConstructor.text(of: value))
        case .bytes(let bytes): write(bytes: bytes)
        }
    }

    // MARK: Containers

    mutating func writeSequence(_ elements: [JSONValue], opening: String, closing: String) {
        guard open(opening, closing) else { return }
        var isFirst = true
        for element in elements where !isCutOff {
            if !isFirst { writeLiteral(", ") }
            isFirst = false
            write(element)
        }
        close(closing)
    }

    private mutating func write(_ entries: JSONObject) {
        guard open("{", "}") else { return }
        var isFirst = true
        for (key, value) in entries {
            if !isFirst { writeLiteral(", ") }
            isFirst = false
            writeQuoted(key)
            writeLiteral(": ")
            write(value)
            if isCutOff { break }
        }
        close("}")
    }

    /// Writes an opening bracket, or the whole container in short where it is too deep; then it has no content.
    private mutating func open(_ opening: String, _ closing: String) -> Bool {
        guard maxLevels <= 0 || level < maxLevels else {
            writeLiteral(opening + "..." + closing)
            return false
        }
        guard hasBudget() else { return false }
        writeLiteral(opening)
        level += 1
        return true
    }

    /// Writes the closing bracket of a container that is open, budget or not.
    private mutating func close(_ closing: String) {
        level -= 1
        output += closing.utf8
        if remaining > 0 { remaining -= closing.utf8.count }
    }

    // MARK: Tokens

    /// Whether another token may follow; if not, that is shown once.
    private mutating func hasBudget() -> Bool {
        guard !isCutOff else { return false }
        guard remaining <= 0 else { return true }
        isCutOff = true
        output += ", ...".utf8
        return false
    }

    /// Writes punctuation, which is never shortened.
    private mutating func writeLiteral(_ text: String) {
        guard hasBudget() else { return }
        output += text.utf8
        remaining -= text.utf8.count
    }

    /// Writes the text of a scalar, shortened to the budget.
    private mutating func writeText(_ text: String) {
        guard hasBudget() else { return }
        guard text.utf8.count >= remaining else {
            output += text.utf8
            remaining -= text.unicodeScalars.count
            return
        }
        let (shown, isShortened) = shortened(text)
        output += shown.utf8
        remaining -= shown.unicodeScalars.count
        if isShortened { writeEllipsis() }
    }

    /// Writes a string in single quotes, shortened to the budget; nothing but single quotes is escaped.
    private mutating func writeQuoted(_ text: String) {
        guard hasBudget() else { return }
        let (shown, isShortened) = shortened(text)
        output.append(UInt8(ascii: "'"))
        var count = 2
        for byte in shown.utf8 {
            if byte == UInt8(ascii: "'") {
                output.append(UInt8(ascii: "\\"))
                count += 1
            }
            output.append(byte)
            if byte & 0xC0 != 0x80 { count += 1 }
        }
        if isShortened { writeEllipsis() }
        output.append(UInt8(ascii: "'"))
        remaining -= count
    }

    /// Writes bytes as text where they are UTF-8, else in hexadecimal digits, shortened to the budget in bytes.
    private mutating func write(bytes: [UInt8]) {
        guard hasBudget() else { return }
        let isShortened = bytes.count > remaining
        let shown = isShortened ? bytes[..<remaining] : bytes[...]
        output += "b'".utf8
        if let text = String(validating: shown, as: UTF8.self) {
            output += text.utf8
            remaining -= text.unicodeScalars.count
        } else {
            for byte in shown {
                output.append(ASCII.hexadecimalCharacter(byte >> 4))
                output.append(ASCII.hexadecimalCharacter(byte & 15))
            }
            remaining -= 2 * shown.count
        }
        if isShortened { writeEllipsis() }
        output.append(UInt8(ascii: "'"))
        remaining -= 3
    }

    private mutating func writeEllipsis() {
        output += "...".utf8
        remaining -= 3
    }

    /// As much of a text as the budget allows, cut back to the last blank where it is cut.
    private func shortened(_ text: String) -> (text: Substring, isShortened: Bool) {
        let scalars = text.unicodeScalars
        // A scalar takes at least one byte, so most texts need not be counted.
        guard text.utf8.count >= remaining,
            let end = scalars.index(scalars.startIndex, offsetBy: remaining, limitedBy: scalars.endIndex)
        else { return (text[...], false) }
        let cut = text[..<end]
        return (cut.utf8.lastIndex(of: UInt8(ascii: " ")).map { cut[..<$0] } ?? cut, true)
    }

    private static func text(of number: Double) -> String {
        var output: [UInt8] = []
        PythonFloat.write(number, to: &output)
        return String(decoding: output, as: UTF8.self)
    }
}
