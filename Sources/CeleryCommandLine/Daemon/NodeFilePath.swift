import CeleryWorker

/// The path of a worker's file, with the parts of the node's name that it may have: Celery's `node_format`.
enum NodeFilePath {
    /// Puts the node's name into a path.
    ///
    /// `%n` is the name before the `@`, `%h` the host behind it, `%d` the host's domain, `%p` the whole name, `%i` the number of
    /// the pool's child process (0 for the worker itself) and `%I` the same with a hyphen before it (nothing for the worker).
    ///
    /// - Parameter process: nil to leave `%i`, `%I` and `%%` as they are, for the child processes.
    /// - Throws: `OptionError` for another letter.
    static func expand(_ template: String, node: NodeName, process: Int? = 0) throws -> String {
        var path = ""
        var rest = template[...]
        while let mark = rest.firstIndex(of: "%") {
            path += rest[..<mark]
            let letter = rest[rest.index(after: mark)...].first
            switch letter {
            case "n": path += node.name
            case "h": path += node.host
            case "d":
                path +=
                    node.host.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false).dropFirst().first
                    ?? ""
            case "p": path += node.description
            case "i": path += process.map { "\($0)" } ?? "%i"
            case "I": path += process.map { $0 == 0 ? "" : "-\($0)" } ?? "%I"
            case "%": path += process == nil ? "%%" : "%"
            default:
                throw OptionError(
                    "unknown format %\(letter.map { String($0) } ?? "") in '\(template)': use %n, %h, %d, %p, %i, %I or %%"
                )
            }
            rest = rest[rest.index(mark, offsetBy: 2)...]
        }
        return path + rest
    }
}
