/// Texts of strangers on a terminal: how wide they are, and nothing in them that steers it.
enum DisplayText {
    /// The text with control characters, which could steer the terminal, as visible escapes; line ends go too.
    static func plain(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isControl) else { return text }
        return text.unicodeScalars.reduce(into: "") { $0 += isControl($1) ? escape($1) : String($1) }
    }

    /// The same, with line ends and tabs left as they are.
    static func plainLines(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isControl) else { return text }
        return text.unicodeScalars.reduce(into: "") { output, scalar in
            output += isControl(scalar) && scalar != "\n" && scalar != "\t" ? escape(scalar) : String(scalar)
        }
    }

    /// How many columns the text takes.
    static func width(_ text: String) -> Int {
        text.utf8.allSatisfy { $0 < 0x80 } ? text.utf8.count : text.reduce(0) { $0 + width($1) }
    }

    /// As much of the text as fits, with an ellipsis where it is cut.
    static func cut(_ text: String, to columns: Int) -> String {
        guard columns > 0 else { return "" }
        guard width(text) > columns else { return text }
        var output = ""
        var left = columns - 1
        for character in text {
            left -= width(character)
            guard left >= 0 else { break }
            output.append(character)
        }
        return output + "…"
    }

    /// The text with spaces behind it.
    static func padded(_ text: String, to columns: Int) -> String {
        text + String(repeating: " ", count: max(0, columns - width(text)))
    }

    /// The text with exactly so many columns.
    static func fitted(_ text: String, to columns: Int) -> String {
        padded(cut(text, to: columns), to: columns)
    }

    /// The text in lines of at most so many columns; its own line ends stay.
    static func wrapped(_ text: String, to columns: Int) -> [String] {
        let columns = max(columns, 1)
        return text.split(separator: "\n", omittingEmptySubsequences: false).flatMap { line in
            var lines: [String] = []
            var current = ""
            var used = 0
            for character in plain(String(line)) {
                let size = width(character)
                if used + size > columns, !current.isEmpty {
                    lines.append(current)
                    (current, used) = ("", 0)
                }
                current.append(character)
                used += size
            }
            return lines + [current]
        }
    }

    private static func width(_ character: Character) -> Int {
        guard let first = character.unicodeScalars.first else { return 0 }
        switch first.value {
        case ..<0x300: return 1
        case 0x200B...0x200F, 0xFE00...0xFE0F: return 0
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
            0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1FAFF, 0x20000...0x3FFFD:
            return 2
        default:
            let category = first.properties.generalCategory
            return category == .nonspacingMark || category == .enclosingMark || category == .format ? 0 : 1
        }
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        // Beside control characters those that turn the direction of a line around.
        case ..<0x20, 0x7F...0x9F, 0x2028...0x202E, 0x2066...0x2069: true
        default: false
        }
    }

    private static func escape(_ scalar: Unicode.Scalar) -> String {
        switch scalar {
        case "\n": return "\\n"
        case "\t": return "\\t"
        case "\r": return "\\r"
        default:
            let digits = String(scalar.value, radix: 16)
            return scalar.value < 0x100
                ? "\\x" + String(repeating: "0", count: 2 - digits.count) + digits
                : "\\u" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
        }
    }
}
