package import Celery

/// The name of a worker in its deployment: `name@host`.
///
/// Source of the rules: Celery's `celery.utils.nodenames`.
package struct NodeName: Sendable, Hashable, CustomStringConvertible {
    /// The part before the `@`.
    package let name: String
    /// The part after it.
    package let host: String

    /// The whole name: `name@host`.
    package var description: String { "\(name)@\(host)" }

    /// Expands the value of `--hostname`.
    ///
    /// A value without `@` is taken as the host, an empty half gets its default (`celery`, this machine's name). Then
    /// `%h` is replaced by the machine's full name, `%n` by the part of it before the first dot, `%d` by the rest, `%i` by 0 and
    /// `%I` by nothing (they tell child processes apart in the names of files), and `%%` by a percent sign.
    ///
    /// - Throws: ``CeleryError`` with the code `invalidConfiguration` for another letter after a percent sign and for
    ///   names that AMQP cannot carry.
    package init(expanding text: String, machine: String = ProcessIdentity.host) throws(CeleryError) {
        let halves = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        let given = (name: halves.count == 2 ? String(halves[0]) : "", host: halves.last.map(String.init) ?? "")
        name = try Self.expand(given.name.isEmpty ? "celery" : given.name, machine: machine)
        host = try Self.expand(given.host.isEmpty ? "%h" : given.host, machine: machine)
        guard description.utf8.count <= Self.maximumLength else {
            throw CeleryError(.invalidConfiguration, "a node name has at most \(Self.maximumLength) bytes")
        }
        guard !description.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else {
            throw CeleryError(.invalidConfiguration, "a node name has no control characters")
        }
    }

    /// Queue names of AMQP have at most 255 bytes, and the names of a worker's own queues add a suffix.
    private static let maximumLength = 200

    private static func expand(_ template: String, machine: String) throws(CeleryError) -> String {
        let parts = machine.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        var expanded = ""
        var rest = template[...]
        while let mark = rest.firstIndex(of: "%") {
            expanded += rest[..<mark]
            let letter = rest[rest.index(after: mark)...].first
            switch letter {
            case "h": expanded += machine
            case "n": expanded += parts.first ?? ""
            case "d": expanded += parts.count == 2 ? parts[1] : ""
            // The number of a child process: this is the worker itself.
            case "i": expanded += "0"
            case "I": break
            case "%": expanded += "%"
            default:
                let found = letter.map { "%\($0)" } ?? "%"
                throw CeleryError(
                    .invalidConfiguration,
                    "unknown format \(found) in a node name: use %h, %n, %d, %i, %I, or %% for a percent sign"
                )
            }
            rest = rest[rest.index(mark, offsetBy: 2)...]
        }
        return expanded + rest
    }
}
