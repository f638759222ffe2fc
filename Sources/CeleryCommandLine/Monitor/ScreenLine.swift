/// How large a screen is, in characters.
struct ScreenSize: Sendable, Hashable {
    var rows: Int
    var columns: Int
}

/// One line of a screen: pieces of text, each in a look of its own.
struct ScreenLine: Sendable, Hashable {
    /// The looks of texts on the screen.
    enum Look: Sendable, Hashable {
        case plain, strong, faint, inverse, good, bad, busy, waiting, name
    }

    /// A text in one look.
    struct Piece: Sendable, Hashable {
        let text: String
        let look: Look
    }

    private(set) var pieces: [Piece] = []

    init(_ text: String = "", _ look: Look = .plain) {
        append(text, look)
    }

    /// Appends a text, which must hold nothing that steers a terminal.
    mutating func append(_ text: String, _ look: Look = .plain) {
        if !text.isEmpty { pieces.append(Piece(text: DisplayText.plain(text), look: look)) }
    }

    /// The line's text without looks.
    var text: String { pieces.map(\.text).joined() }

    /// The line with exactly so many columns, and in one look where that is wanted.
    func fitted(to columns: Int, _ look: Look? = nil) -> ScreenLine {
        var line = ScreenLine()
        var left = columns
        for piece in pieces {
            let shown = DisplayText.cut(piece.text, to: left)
            line.append(shown, look ?? piece.look)
            left -= DisplayText.width(shown)
            if shown != piece.text { break }
        }
        line.append(String(repeating: " ", count: max(0, left)), look ?? .plain)
        return line
    }

    /// The line with the sequences that a terminal understands.
    ///
    /// Without colours, bold and inverse texts remain.
    func sequences(isColored: Bool) -> String {
        pieces.map { piece in
            let code = Self.code(piece.look, isColored: isColored)
            return code.isEmpty ? piece.text : "\u{1B}[\(code)m\(piece.text)\u{1B}[0m"
        }.joined()
    }

    private static func code(_ look: Look, isColored: Bool) -> String {
        switch look {
        case .plain: ""
        case .strong: "1"
        case .faint: isColored ? "2" : ""
        case .inverse: "7"
        case .good: isColored ? "32" : ""
        case .bad: isColored ? "31" : ""
        case .busy: isColored ? "36" : ""
        case .waiting: isColored ? "33" : ""
        case .name: isColored ? "1;34" : "1"
        }
    }
}
