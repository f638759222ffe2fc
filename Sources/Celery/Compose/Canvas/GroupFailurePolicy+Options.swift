internal import AMQP
internal import OrderedCollections

extension GroupFailurePolicy {
    /// The header, among a group's or a chord's options, in which the policy travels.
    static let header = "swcelery_group_policy"

    fileprivate init(header value: JSONValue?) throws(CeleryError) {
        guard let policy = value?.stringValue.flatMap(GroupFailurePolicy.init(rawValue:)) else {
            throw CeleryError(.invalidSignature, "the header \(Self.header) has to be fail, ignore or continue")
        }
        self = policy
    }
}

extension CanvasOptions {
    /// Takes the policy out of the headers, which otherwise go out with every task of the group.
    mutating func takePolicy() throws(CeleryError) -> GroupFailurePolicy? {
        switch self["headers"] {
        case .value(.object(var headers))?:
            guard let found = headers.removeValue(forKey: GroupFailurePolicy.header) else { return nil }
            self["headers"] = headers.isEmpty ? nil : .value(.object(headers))
            return try GroupFailurePolicy(header: found)
        case .headers(var table)?:
            guard let found = table[GroupFailurePolicy.header] else { return nil }
            table[GroupFailurePolicy.header] = nil
            self["headers"] = table.isEmpty ? nil : .headers(table)
            return try GroupFailurePolicy(header: JSONValue(found))
        default:
            return nil
        }
    }
}

extension JSONObject {
    /// Writes the policy among the headers of a signature's options.
    mutating func setPolicy(_ policy: GroupFailurePolicy) {
        var headers = self["headers"]?.objectValue ?? [:]
        headers[GroupFailurePolicy.header] = .string(policy.rawValue)
        self["headers"] = .object(headers)
    }
}
