internal import CRabbitMQ
internal import Glibc

/// Socket, TLS, handshake and login; afterwards a connection is ready for use.
///
/// Blocks up to the limits of time.
enum ConnectionOpening {
    static func open(_ configuration: ConnectionConfiguration) throws(AMQPError) -> amqp_connection_state_t {
        guard let state = amqp_new_connection() else { throw AMQPError(.connectionFailed, "out of memory") }
        do throws(AMQPError) {
            try openSocket(state, configuration)
            try login(state, configuration)
            return state
        } catch {
            amqp_destroy_connection(state)
            throw error
        }
    }

    private static func openSocket(
        _ state: amqp_connection_state_t,
        _ configuration: ConnectionConfiguration
    ) throws(AMQPError) {
        let socket = configuration.uri.tls ? amqp_ssl_socket_new(state) : amqp_tcp_socket_new(state)
        guard let socket else { throw AMQPError(.connectionFailed, "no socket could be made") }
        if configuration.uri.tls { try configure(socket, configuration.tls) }
        var limit = timeval(configuration.connectTimeout)
        let status = amqp_socket_open_noblock(socket, configuration.uri.host, Int32(configuration.uri.port), &limit)
        guard status == AMQP_STATUS_OK.rawValue else {
            let failure = LibraryStatus.error(status)
            let code: AMQPError.Code = failure.code == .tls ? .tls : .connectionFailed
            throw AMQPError(code, "\(configuration.uri.redacted): \(failure.message)")
        }
    }

    private static func configure(_ socket: OpaquePointer, _ tls: TLSConfiguration) throws(AMQPError) {
        amqp_ssl_socket_set_verify_peer(socket, tls.verifyPeer ? 1 : 0)
        amqp_ssl_socket_set_verify_hostname(socket, tls.verifyHostname ? 1 : 0)
        guard swc_ssl_limit_versions(socket, tls.minimumVersion.number, tls.maximumVersion?.number ?? 0) == 1 else {
            throw AMQPError(.tls, "the versions of TLS cannot be limited as wanted")
        }
        if let ciphers = tls.ciphers, swc_ssl_set_ciphers(socket, ciphers) != 1 {
            throw AMQPError(.tls, "OpenSSL knows none of the ciphers")
        }
        swc_ssl_never_ask(socket)
        if let file = tls.certificateAuthorityFile ?? (tls.verifyPeer ? systemAuthorities : nil) {
            guard amqp_ssl_socket_set_cacert(socket, file) == AMQP_STATUS_OK.rawValue else {
                throw AMQPError(.tls, "the certificate authorities cannot be read from \(file)")
            }
        } else if tls.verifyPeer {
            throw AMQPError(.tls, "no certificate authorities found: name a file of them (ssl_ca_certs)")
        }
        guard let certificate = tls.certificateFile else { return }
        let key = tls.keyFile ?? certificate
        guard amqp_ssl_socket_set_key(socket, certificate, key) == AMQP_STATUS_OK.rawValue else {
            throw AMQPError(.tls, "the client's certificate or key cannot be read from \(certificate), \(key)")
        }
    }

    /// OpenSSL's own setting first, then where Debian, Red Hat, Alpine and macOS keep their bundle.
    private static var systemAuthorities: String? {
        var places = [
            "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem",
        ]
        if let named = getenv("SSL_CERT_FILE") { places.insert(String(cString: named), at: 0) }
        return places.first { access($0, R_OK) == 0 }
    }

    private static func login(
        _ state: amqp_connection_state_t,
        _ configuration: ConnectionConfiguration
    ) throws(AMQPError) {
        var limit = timeval(configuration.connectTimeout)
        amqp_set_handshake_timeout(state, &limit)
        let arena = Arena()
        var properties = arena.table(ClientProperties.table(configuration))
        let uri = configuration.uri
        let (channels, frame) = (Int32(configuration.channelMax), Int32(configuration.offeredFrameMax))
        let heartbeat = Int32(clamping: configuration.heartbeat.components.seconds)
        let reply =
            switch configuration.saslMechanism {
            case .plain:
                swc_login_plain(
                    state,
                    uri.virtualHost,
                    channels,
                    frame,
                    heartbeat,
                    &properties,
                    uri.userName,
                    uri.password
                )
            case .external:
                // RabbitMQ takes the certificate's name; librabbitmq takes an empty identity for a lack of memory.
                swc_login_external(
                    state,
                    uri.virtualHost,
                    channels,
                    frame,
                    heartbeat,
                    &properties,
                    uri.userName.isEmpty ? "guest" : uri.userName
                )
            }
        switch reply.reply_type {
        case AMQP_RESPONSE_NORMAL: return
        case AMQP_RESPONSE_LIBRARY_EXCEPTION: throw refused(LibraryStatus.error(reply.library_error), uri)
        default: throw refused(reply.reply, uri)
        }
    }

    /// A broker that does not know `authentication_failure_close` just closes the socket on a wrong password.
    private static func refused(_ error: AMQPError, _ uri: AMQPURI) -> AMQPError {
        let code: AMQPError.Code = error.code == .connectionClosed ? .connectionFailed : error.code
        return AMQPError(code, "\(uri.redacted): the handshake failed: \(error.message)")
    }

    private static func refused(_ method: amqp_method_t, _ uri: AMQPURI) -> AMQPError {
        guard method.id == AMQP_CONNECTION_CLOSE_METHOD, let decoded = method.decoded else {
            return AMQPError(.authenticationFailed, "\(uri.redacted): the broker refused the connection")
        }
        let close = decoded.assumingMemoryBound(to: amqp_connection_close_t.self).pointee
        return AMQPError(
            .authenticationFailed,
            "\(uri.redacted): \(close.reply_text.text)",
            replyCode: Int(close.reply_code)
        )
    }
}

extension TLSConfiguration.Version {
    /// The version as TLS writes it.
    fileprivate var number: Int32 {
        switch self {
        case .tls1: 0x0301
        case .tls1_1: 0x0302
        case .tls1_2: 0x0303
        case .tls1_3: 0x0304
        }
    }
}

extension timeval {
    init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        self.init(tv_sec: Int(seconds), tv_usec: Int(attoseconds / 1_000_000_000_000))
    }
}
