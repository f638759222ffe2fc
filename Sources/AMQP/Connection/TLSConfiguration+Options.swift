extension TLSConfiguration {
    /// Reads the options of Celery's `broker_use_ssl`, as py-amqp takes them.
    ///
    /// `ca_certs`, `certfile`, `keyfile`, `ciphers`; `cert_reqs` (`CERT_REQUIRED`, `CERT_OPTIONAL`, which means the same for
    /// a client, or `CERT_NONE`); `ssl_version` (`PROTOCOL_TLS`, `PROTOCOL_TLSv1_2` …); `tls_minimum_version` and
    /// `tls_maximum_version` (`TLSv1_2` …); `check_hostname`. Names may be written as in Python, such as
    /// `ssl.CERT_REQUIRED`. `do_handshake_on_connect` and `suppress_ragged_eofs` change nothing here. Unlike in Celery the
    /// host name is verified without `server_hostname`, which can be nothing but `None`: the URL's host.
    ///
    /// - Throws: `AMQPError` with code `invalidArgument` for an unknown option, or one with a value that cannot be used.
    public init(brokerUseSSL options: [String: String]) throws(AMQPError) {
        self.init()
        for (name, value) in options.sorted(by: { $0.key < $1.key }) { try apply(name, value, .invalidArgument) }
        try checkOptions(.invalidArgument)
    }

    /// Reads the options of a URL, which are those of `broker_use_ssl` with `ssl_` before them: `ssl_ca_certs`,
    /// `ssl_cert_reqs`, `ssl_version`, `ssl_tls_minimum_version` and so on.
    ///
    /// - Throws: `AMQPError` with code `invalidURL` for an unknown option, or one with a value that cannot be used.
    public init(query: [String: String]) throws(AMQPError) {
        self.init()
        for (name, value) in query.sorted(by: { $0.key < $1.key }) where name.hasPrefix("ssl_") {
            try apply(name == "ssl_version" ? name : String(name.dropFirst(4)), value, .invalidURL)
        }
        try checkOptions(.invalidURL)
    }

    private mutating func apply(_ name: String, _ value: String, _ code: AMQPError.Code) throws(AMQPError) {
        switch name {
        case "ca_certs": certificateAuthorityFile = value
        case "certfile": certificateFile = value
        case "keyfile": keyFile = value
        case "ciphers": ciphers = value
        case "cert_reqs":
            // Without a verified certificate its names mean nothing.
            if try Self.read(name, value, Self.requirements, code) == false {
                (verifyPeer, verifyHostname) = (false, false)
            }
        case "check_hostname": verifyHostname = try Self.read(name, value, Self.booleans, code) && verifyPeer
        case "ssl_version":
            if let exact = try Self.read(name, value, Self.protocols, code) {
                (minimumVersion, maximumVersion) = (exact, exact)
            }
        case "tls_minimum_version": minimumVersion = try Self.read(name, value, Self.versions, code) ?? .tls1
        case "tls_maximum_version": maximumVersion = try Self.read(name, value, Self.versions, code)
        case "do_handshake_on_connect", "suppress_ragged_eofs": _ = try Self.read(name, value, Self.booleans, code)
        case "server_hostname" where value == "None": break
        case "server_hostname":
            throw AMQPError(code, "server_hostname cannot be chosen: the certificate has to name the URL's host")
        default:
            // What looks like an option's name in a URL may be a piece of a password that was not percent-encoded.
            let shown = code == .invalidURL ? "an ssl_ option of the broker URL" : name
            throw AMQPError(code, "\(shown) is not an option of TLS that is known here")
        }
    }

    private func checkOptions(_ code: AMQPError.Code) throws(AMQPError) {
        if keyFile != nil, certificateFile == nil { throw AMQPError(code, "keyfile needs certfile") }
        for path in [certificateAuthorityFile, certificateFile, keyFile] where path?.isEmpty == true {
            throw AMQPError(code, "a file of the TLS options has an empty name")
        }
    }

    /// Reads a name of Python's, with or without what stands before it there.
    private static func read<Value>(
        _ name: String,
        _ text: String,
        _ values: KeyValuePairs<String, Value>,
        _ code: AMQPError.Code
    ) throws(AMQPError) -> Value {
        let last = text.split(separator: ".").last.map { $0.lowercased() }
        if let value = values.first(where: { $0.key.lowercased() == last })?.value { return value }
        throw AMQPError(code, "\(name) is not one of \(values.map(\.key).joined(separator: ", "))")
    }

    private static let requirements: KeyValuePairs = [
        "CERT_REQUIRED": true, "CERT_OPTIONAL": true, "CERT_NONE": false,
        "required": true, "optional": true, "none": false, "2": true, "1": true, "0": false,
    ]

    private static let booleans: KeyValuePairs = ["True": true, "False": false, "1": true, "0": false]

    private static let protocols: KeyValuePairs<String, Version?> = [
        "PROTOCOL_TLS": nil, "PROTOCOL_TLS_CLIENT": nil, "PROTOCOL_SSLv23": nil, "None": nil,
        "PROTOCOL_TLSv1": .tls1, "PROTOCOL_TLSv1_1": .tls1_1, "PROTOCOL_TLSv1_2": .tls1_2,
    ]

    private static let versions: KeyValuePairs<String, Version?> = [
        "TLSv1": .tls1, "TLSv1_1": .tls1_1, "TLSv1_2": .tls1_2, "TLSv1_3": .tls1_3,
        "MINIMUM_SUPPORTED": nil, "MAXIMUM_SUPPORTED": nil,
    ]
}
