/// What `multi` says, as loudly as `--quiet` and `--verbose` want it, in colour where that is wanted.
struct MultiVoice: Sendable {
    var isQuiet = false
    var isVerbose = false
    var isColored = false
    /// Where it goes.
    var write: @Sendable (String) -> Void

    /// Says something, unless all is to be quiet.
    func note(_ text: String, newline: Bool = true) {
        if !isQuiet { write(newline ? text + "\n" : text) }
    }

    /// Says something that only `--verbose` wants to know.
    func info(_ text: String) {
        if isVerbose { note(text) }
    }

    var ok: String { colored("OK", 32) }
    var failed: String { colored("FAILED", 31) }
    var down: String { colored("DOWN", 35) }
    func blue(_ text: String) -> String { colored(text, 34) }
    func cyan(_ text: String) -> String { colored(text, 36) }

    private func colored(_ text: String, _ color: Int) -> String {
        isColored ? "\u{1B}[1;\(color)m\(text)\u{1B}[0m" : text
    }
}
