/// The value of `--prefetch-multiplier`.
struct PrefetchMultiplier: Sendable, Hashable {
    /// Messages that the worker reserves for each slot; 0 is no limit.
    let number: Int

    /// Reads a whole number that is not negative.
    init(parsing text: String) throws {
        guard let number = Int(text), (0...65_535).contains(number) else {
            throw OptionError("must be a number from 0 to 65535, got '\(text)'")
        }
        self.number = number
    }
}
