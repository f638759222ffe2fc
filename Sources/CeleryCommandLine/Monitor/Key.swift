/// A key of a terminal's keyboard.
enum Key: Sendable, Hashable {
    case character(Character)
    case up, down, pageUp, pageDown, home, end
    case enter, escape, tab, backspace
    /// Ctrl-C.
    case interrupt
    /// Ctrl-Z.
    case suspend
    /// Ctrl-L.
    case redraw
}

/// Makes keys of the bytes that a terminal sends.
struct KeyReader: Sendable {
    /// The beginning of a sequence whose rest has not come.
    private var pending: [UInt8] = []

    private static let escape: UInt8 = 0x1B
    /// Longest sequence that is waited for.
    private static let longest = 16
    private static let sequences: [String: Key] = [
        "[A": .up, "[B": .down, "OA": .up, "OB": .down, "[5~": .pageUp, "[6~": .pageDown, "[H": .home, "[F": .end,
        "OH": .home, "OF": .end, "[1~": .home, "[4~": .end, "[7~": .home, "[8~": .end,
    ]

    /// Takes bytes in and answers the keys that are complete.
    ///
    /// A read without bytes tells that nothing follows: an escape that stands alone is a key then.
    mutating func keys(_ bytes: [UInt8]) -> [Key] {
        guard !bytes.isEmpty else {
            defer { pending = [] }
            return pending.first == Self.escape ? [.escape] : []
        }
        var rest = (pending + bytes)[...]
        pending = []
        var keys: [Key] = []
        while let first = rest.first {
            if first == Self.escape {
                guard let end = Self.sequenceEnd(rest) else {
                    pending = rest.count > Self.longest ? [] : Array(rest)
                    break
                }
                let name = String(decoding: rest[(rest.startIndex + 1)..<end], as: UTF8.self)
                if let key = name.isEmpty ? .escape : Self.sequences[name] { keys.append(key) }
                rest = rest[end...]
            } else if first < 0x20 || first == 0x7F {
                if let key = Self.control(first) { keys.append(key) }
                rest = rest.dropFirst()
            } else {
                let text = rest.prefix { $0 >= 0x20 && $0 != 0x7F }
                keys += String(decoding: text, as: UTF8.self).map(Key.character)
                rest = rest[text.endIndex...]
            }
        }
        return keys
    }

    /// Where a sequence ends that begins with an escape; nil where it has not ended yet.
    private static func sequenceEnd(_ bytes: ArraySlice<UInt8>) -> Int? {
        let start = bytes.startIndex
        guard bytes.count >= 2 else { return nil }
        switch bytes[start + 1] {
        case UInt8(ascii: "["):
            let final = bytes[(start + 2)...].firstIndex { (0x40...0x7E).contains($0) }
            return final.map { $0 + 1 }
        case UInt8(ascii: "O"):
            return bytes.count >= 3 ? start + 3 : nil
        default:
            // Alt means nothing here: the key Escape, and another that came in the same read.
            return start + 1
        }
    }

    private static func control(_ byte: UInt8) -> Key? {
        switch byte {
        case 0x03: .interrupt
        case 0x09: .tab
        case 0x0A, 0x0D: .enter
        case 0x0C: .redraw
        case 0x1A: .suspend
        case 0x08, 0x7F: .backspace
        default: nil
        }
    }
}
