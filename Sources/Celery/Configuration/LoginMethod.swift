internal import AMQP

/// How a client proves who it is (`broker_login_method`).
public enum LoginMethod: String, Sendable, Hashable, CaseIterable {
    /// With the URL's user name and password.
    case plain = "PLAIN"
    /// With the TLS client certificate.
    case external = "EXTERNAL"

    var mechanism: ConnectionConfiguration.SASLMechanism {
        switch self {
        case .plain: .plain
        case .external: .external
        }
    }
}
