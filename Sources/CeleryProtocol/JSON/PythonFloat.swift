/// The text of a float as Python's `repr` gives it: the shortest digits that read back as the same float, an exponent
/// below 1e-4 and from 1e16 on.
enum PythonFloat {
    /// Appends the text; `nan`, `inf` and `-inf` for what is not finite.
    static func write(_ value: Double, to output: inout [UInt8]) {
        guard value.isFinite else {
            output += (value.isNaN ? "nan" : value < 0 ? "-inf" : "inf").utf8
            return
        }
        // Swift's digits are the same shortest ones, but it shows whole numbers with an exponent from 2^53 on already.
        if let whole = Int(exactly: value), whole.magnitude < 10_000_000_000_000_000, whole != 0 {
            ASCII.append(whole, to: &output)
            output += ".0".utf8
        } else {
            output += value.description.utf8
        }
    }
}
