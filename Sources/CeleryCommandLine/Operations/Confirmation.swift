/// A question to the person at the terminal that has to be answered with yes.
struct Confirmation: Sendable {
    /// Shows the question.
    var show: @Sendable (String) -> Void
    /// Reads an answer; nil at the end of the input.
    var read: @Sendable () -> String?

    /// Standard input and output.
    static let console = Confirmation(
        show: { ConsoleStream.output.write(Array($0.utf8)) },
        read: { readLine() }
    )

    /// Asks until there is an answer, as Click does: an empty one, and the end of the input, is no.
    func isGiven(_ question: String) -> Bool {
        while true {
            show("\(question) [y/N]: ")
            guard let answer = read() else {
                show("\n")
                return false
            }
            switch answer.lowercased().filter({ !$0.isWhitespace }) {
            case "y", "yes", "1", "true", "t", "on": return true
            case "n", "no", "0", "false", "f", "off", "": return false
            default: show("Error: invalid input\n")
            }
        }
    }
}
