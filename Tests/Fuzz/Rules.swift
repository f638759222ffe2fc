/// Ends the process, which libFuzzer reports as a finding, where a rule is broken.
func require(_ holds: Bool, _ rule: @autoclosure () -> String, file: StaticString = #fileID, line: UInt = #line) {
    guard !holds else { return }
    fatalError("broken rule: \(rule())", file: file, line: line)
}

/// Text that stands for a secret of the payload: the dictionaries and the corpora have it.
enum Canary {
    static let text = "CANARY"

    /// Requires that an error's description shows nothing of the payload.
    static func check(_ error: some Error, file: StaticString = #fileID, line: UInt = #line) {
        let shown = "\(error) \(String(reflecting: error))"
        // Shown in lower case it would be as plain.
        require(!shown.lowercased().contains(text.lowercased()), "an error shows the payload", file: file, line: line)
    }
}
