/// How a connection is encrypted.
///
/// The peer's certificate and host name are verified unless told otherwise.
public struct TLSConfiguration: Sendable, Hashable {
    /// The oldest version of TLS that is accepted.
    public enum Version: Sendable, Hashable {
        /// TLS 1.0, for very old brokers.
        case tls1
        /// TLS 1.1
        case tls1_1
        /// TLS 1.2
        case tls1_2
    }

    /// PEM file of certificate authorities; nil takes the system's (`SSL_CERT_FILE`, else the usual places).
    public var certificateAuthorityFile: String?
    /// PEM file of the client's certificate (chain), needed for SASL EXTERNAL.
    public var certificateFile: String?
    /// PEM file of the certificate's private key.
    public var keyFile: String?
    /// Whether the broker's certificate must verify.
    public var verifyPeer: Bool
    /// Whether the certificate must name the host of the URL.
    public var verifyHostname: Bool
    /// The oldest version of TLS that is accepted.
    public var minimumVersion: Version

    /// Makes a configuration.
    public init(
        certificateAuthorityFile: String? = nil,
        certificateFile: String? = nil,
        keyFile: String? = nil,
        verifyPeer: Bool = true,
        verifyHostname: Bool = true,
        minimumVersion: Version = .tls1_2
    ) {
        self.certificateAuthorityFile = certificateAuthorityFile
        self.certificateFile = certificateFile
        self.keyFile = keyFile
        self.verifyPeer = verifyPeer
        self.verifyHostname = verifyHostname
        self.minimumVersion = minimumVersion
    }

    /// Reads the options of a URL: kombu's `ssl_ca_certs`, `ssl_certfile`, `ssl_keyfile`, `ssl_cert_reqs`.
    ///
    /// - Throws: `AMQPError` with code `invalidURL` for an unknown `ssl_cert_reqs`.
    public init(query: [String: String]) throws(AMQPError) {
        self.init(
            certificateAuthorityFile: query["ssl_ca_certs"],
            certificateFile: query["ssl_certfile"],
            keyFile: query["ssl_keyfile"]
        )
        switch query["ssl_cert_reqs"] {
        case nil, "CERT_REQUIRED", "required": break
        case "CERT_NONE", "none", "CERT_OPTIONAL", "optional":
            verifyPeer = false
            verifyHostname = false
        default: throw AMQPError(.invalidURL, "ssl_cert_reqs is not one of CERT_REQUIRED, CERT_OPTIONAL, CERT_NONE")
        }
    }
}
