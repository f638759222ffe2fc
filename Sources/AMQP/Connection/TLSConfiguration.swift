/// How a connection is encrypted.
///
/// The peer's certificate and host name are verified unless told otherwise.
public struct TLSConfiguration: Sendable, Hashable {
    /// A version of TLS.
    public enum Version: Sendable, Hashable {
        /// TLS 1.0, for very old brokers; most systems' OpenSSL refuses it whatever is asked for.
        case tls1
        /// TLS 1.1, as TLS 1.0.
        case tls1_1
        /// TLS 1.2
        case tls1_2
        /// TLS 1.3
        case tls1_3
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
    ///
    /// librabbitmq before 0.14 compares names only: with an address in the URL it finds no certificate good enough.
    public var verifyHostname: Bool
    /// The oldest version of TLS that is accepted.
    public var minimumVersion: Version
    /// The newest version of TLS that is offered; nil for the newest that OpenSSL has.
    public var maximumVersion: Version?
    /// Ciphers for TLS up to 1.2, in OpenSSL's notation; nil takes OpenSSL's.
    public var ciphers: String?

    /// Makes a configuration.
    public init(
        certificateAuthorityFile: String? = nil,
        certificateFile: String? = nil,
        keyFile: String? = nil,
        verifyPeer: Bool = true,
        verifyHostname: Bool = true,
        minimumVersion: Version = .tls1_2,
        maximumVersion: Version? = nil,
        ciphers: String? = nil
    ) {
        self.certificateAuthorityFile = certificateAuthorityFile
        self.certificateFile = certificateFile
        self.keyFile = keyFile
        self.verifyPeer = verifyPeer
        self.verifyHostname = verifyHostname
        self.minimumVersion = minimumVersion
        self.maximumVersion = maximumVersion
        self.ciphers = ciphers
    }
}
