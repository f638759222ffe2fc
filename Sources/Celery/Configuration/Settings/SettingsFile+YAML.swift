#if YAML
internal import OrderedCollections
internal import Yams

extension SettingsFile {
    /// Reads YAML; tags and anchors are resolved, and what JSON has no type for is text.
    static func parse(yaml bytes: [UInt8], name: String) throws(CeleryError) -> JSONValue {
        do {
            guard let root = try compose(yaml: String(decoding: bytes, as: UTF8.self)) else { return .object([:]) }
            return value(root)
        } catch {
            // The parser's own words have the line in them, which may have a password in it.
            throw CeleryError(.invalidConfiguration, "'\(name)' is not YAML")
        }
    }

    private static func value(_ node: Node) -> JSONValue {
        switch node {
        case .mapping(let mapping):
            var entries: JSONObject = [:]
            for (key, element) in mapping { entries[key.string ?? ""] = value(element) }
            return .object(entries)
        case .sequence(let sequence): return .array(sequence.map { value($0) })
        case .scalar(let scalar): return self.value(scalar, node)
        case .alias: return .null
        }
    }

    private static func value(_ scalar: Node.Scalar, _ node: Node) -> JSONValue {
        switch node.tag.description {
        case Tag.Name.null.rawValue: return .null
        case Tag.Name.bool.rawValue: return node.bool.map { .bool($0) } ?? .string(scalar.string)
        case Tag.Name.int.rawValue: return node.int.map { .int($0) } ?? .string(scalar.string)
        case Tag.Name.float.rawValue: return node.float.map { .double($0) } ?? .string(scalar.string)
        default: return .string(scalar.string)
        }
    }
}
#endif
