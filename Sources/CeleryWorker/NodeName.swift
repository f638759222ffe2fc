import Celery

/// The name of a worker in its deployment, `name@host`.
///
/// Source: `celery.utils.nodenames`.
enum NodeName {
    /// Completes and expands a node name: `%h` is the host's name, `%n` the part of it before the first dot, `%d` the
    /// rest, `%%` a percent sign.
    ///
    /// A name without `@` is taken as the host, as Celery does.
    ///
    /// - Throws: ``CeleryError`` with the code `invalidConfiguration` for another letter after a percent sign.
    static func expand(_ text: String, host: String = ProcessIdentity.host) throws(CeleryError) -> String {
        let halves = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        let name = halves.count == 2 ? halves[0] : ""
        let place = halves.last ?? ""
        let expandedName = try replace(name.isEmpty ? "celery" : name, host)
        let expandedPlace = try replace(place.isEmpty ? "%h" : place, host)
        return "\(expandedName)@\(expandedPlace)"
    }

    private static func replace(_ template: Substring, _ host: String) throws(CeleryError) -> String {
        let parts = host.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        var expanded = ""
        var letters = template.makeIterator()
        while let letter = letters.next() {
            guard letter == "%" else {
                expanded.append(letter)
                continue
            }
            switch letters.next() {
            case "h": expanded += host
            case "n": expanded += parts.first ?? ""
            case "d": expanded += parts.count == 2 ? parts[1] : ""
            case "%": expanded += "%"
            default: throw CeleryError(.invalidConfiguration, "a node name may hold %h, %n, %d and %% only")
            }
        }
        return expanded
    }
}
