/// Settings of Celery's that have one value here: a file that is shared with Python's workers may name them.
enum FixedSettings {
    /// The values that say what is done here anyway.
    private static let values: [String: [JSONValue]] = [
        "enable_utc": [.bool(true)],
        "event_serializer": [.string("json")],
        "result_backend": [.string("rpc://"), .string("rpc"), .string("swcelery_chords:ChordRPCBackend")],
        "result_serializer": [.string("json")],
        "task_protocol": [.int(2)],
        "task_serializer": [.string("json")],
        "worker_detect_quorum_queues": [.bool(true)],
        "worker_enable_prefetch_count_reduction": [.bool(true)],
    ]

    /// Whether Celery has the setting, and the value is what is done here; nil for settings that are not in the list.
    static func accepts(_ value: JSONValue, for key: String) -> Bool? {
        values[key]?.contains(value)
    }

    /// What to say about another value.
    static func complaint(_ key: String) -> String {
        let allowed = (values[key] ?? []).map { value in
            switch value {
            case .bool(let flag): "\(flag)"
            case .int(let number): "\(number)"
            default: "'\(value.stringValue ?? "")'"
            }
        }
        return "\(key) can only be \(allowed.joined(separator: " or ")) here"
    }
}
