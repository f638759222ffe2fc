/// Colours of texts on a terminal; plain where colours are not wanted.
struct TextStyle: Sendable, Hashable {
    /// What a text is shown as.
    enum Look: String, Sendable {
        /// A node's name.
        case node = "\u{1B}[36m\u{1B}[1m"
        case ok = "\u{1B}[32m\u{1B}[1m"
        case error = "\u{1B}[31m\u{1B}[1m"
        /// An arrow, and the head of a table.
        case strong = "\u{1B}[1m"
        /// A star in front of an item.
        case mark = "\u{1B}[37m"
    }

    let isColored: Bool

    /// The text in its look.
    func text(_ text: String, _ look: Look) -> String {
        isColored ? look.rawValue + text + "\u{1B}[0m" : text
    }
}
