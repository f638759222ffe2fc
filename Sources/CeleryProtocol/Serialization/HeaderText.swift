extension String {
    /// The text where it looks like a MIME type or a name, otherwise words that stand for it.
    ///
    /// For errors that tell which content type a sender used: a log must not show whatever was put there.
    var asPrintableName: String {
        guard utf8.count <= 64, utf8.allSatisfy({ (0x21...0x7e).contains($0) }), !isEmpty else {
            return "(unprintable)"
        }
        return self
    }
}
