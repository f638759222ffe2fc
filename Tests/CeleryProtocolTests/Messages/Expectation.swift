/// What a message of the corpus is for.
enum Expectation: Hashable {
    /// Decoding and encoding gives the same bytes, since a Swift client or worker would send the same message.
    case equalBytes
    /// Decoding and encoding gives the same fields: the broker had sorted the header table by name.
    case equalFields
    /// Protocol 1 is read and never written.
    case readOnly
    /// The serializer is not supported, and must not be.
    case refused

    /// The exceptions from equal bytes, by name.
    static let exceptions: [String: Expectation] = [
        "dead_lettered": .equalFields,
        "delayed_delivered": .equalFields,
        "quorum_redelivered": .equalFields,
        "v1_chain": .readOnly,
        "v1_countdown": .readOnly,
        "v1_custom_headers": .readOnly,
        "v1_expires": .readOnly,
        "v1_group.1of2": .readOnly,
        "v1_group.2of2": .readOnly,
        "v1_ignore_result": .readOnly,
        "v1_kwargs": .readOnly,
        "v1_link_and_link_error": .readOnly,
        "v1_plain": .readOnly,
        "v1_time_limits": .readOnly,
        "result_msgpack_failure": .refused,
        "result_msgpack_success": .refused,
        "result_pickle_failure": .refused,
        "result_pickle_success": .refused,
        "result_yaml_failure": .refused,
        "result_yaml_success": .refused,
    ]

    init(of name: String) { self = Self.exceptions[name] ?? .equalBytes }
}
