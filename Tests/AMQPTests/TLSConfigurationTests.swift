import Testing

@testable import AMQP

@Suite("TLSConfiguration reads broker_use_ssl as py-amqp does")
struct TLSConfigurationTests {
    @Test func verifiesEverythingByDefault() throws {
        let tls = try TLSConfiguration(brokerUseSSL: [:])
        #expect(tls == TLSConfiguration())
        #expect(tls.verifyPeer)
        #expect(tls.verifyHostname)
        #expect(tls.minimumVersion == .tls1_2)
        #expect(tls.maximumVersion == nil)
    }

    @Test func readsKombusNames() throws {
        let tls = try TLSConfiguration(brokerUseSSL: [
            "ca_certs": "/ca.pem", "certfile": "/c.pem", "keyfile": "/k.pem", "cert_reqs": "ssl.CERT_REQUIRED",
            "ciphers": "HIGH", "tls_minimum_version": "TLSVersion.TLSv1_3", "tls_maximum_version": "TLSv1_3",
            "server_hostname": "None", "do_handshake_on_connect": "True", "suppress_ragged_eofs": "False",
        ])
        #expect(
            tls
                == TLSConfiguration(
                    certificateAuthorityFile: "/ca.pem",
                    certificateFile: "/c.pem",
                    keyFile: "/k.pem",
                    minimumVersion: .tls1_3,
                    maximumVersion: .tls1_3,
                    ciphers: "HIGH"
                )
        )
    }

    @Test(arguments: [
        ("CERT_REQUIRED", true), ("required", true), ("2", true), ("CERT_OPTIONAL", true), ("optional", true),
        ("VerifyMode.CERT_NONE", false), ("none", false), ("0", false),
    ])
    func certificateIsOptionalForServersOnly(_ value: String, _ verifies: Bool) throws {
        let tls = try TLSConfiguration(brokerUseSSL: ["cert_reqs": value])
        #expect(tls.verifyPeer == verifies)
        #expect(tls.verifyHostname == verifies)
    }

    @Test func namesAloneMayGoUnverified() throws {
        let tls = try TLSConfiguration(brokerUseSSL: ["check_hostname": "false"])
        #expect(tls.verifyPeer)
        #expect(!tls.verifyHostname)
        let none = try TLSConfiguration(brokerUseSSL: ["check_hostname": "True", "cert_reqs": "CERT_NONE"])
        #expect(!none.verifyHostname)
    }

    @Test func exactVersions() throws {
        let exact = try TLSConfiguration(brokerUseSSL: ["ssl_version": "ssl.PROTOCOL_TLSv1_2"])
        #expect(exact.minimumVersion == .tls1_2)
        #expect(exact.maximumVersion == .tls1_2)
        let open = try TLSConfiguration(brokerUseSSL: ["ssl_version": "PROTOCOL_TLS"])
        #expect(open == TLSConfiguration())
        #expect(try TLSConfiguration(brokerUseSSL: ["tls_minimum_version": "TLSv1_1"]).minimumVersion == .tls1_1)
    }

    @Test(arguments: [
        ["ca_cert": "/ca.pem"], ["cert_reqs": "maybe"], ["ssl_version": "PROTOCOL_SSLv2"], ["server_hostname": "other"],
        ["keyfile": "/k.pem"], ["ca_certs": ""], ["context": "{}"], ["server_side": "True"],
        ["tls_minimum_version": "1.2"],
        ["check_hostname": "perhaps"],
    ])
    func refusesWhatItDoesNotKnow(_ options: [String: String]) {
        let error = #expect(throws: AMQPError.self) { try TLSConfiguration(brokerUseSSL: options) }
        #expect(error?.code == .invalidArgument)
        #expect(options.keys.contains { error?.message.contains($0) == true } || options["ca_certs"] != nil)
    }

    @Test func urlsSayTheSameWithAPrefix() throws {
        let query = [
            "heartbeat": "3", "ssl": "1", "ssl_ca_certs": "/ca.pem", "ssl_cert_reqs": "CERT_OPTIONAL",
            "ssl_version": "PROTOCOL_TLSv1_2", "ssl_check_hostname": "False",
        ]
        let tls = try TLSConfiguration(query: query)
        #expect(tls.certificateAuthorityFile == "/ca.pem")
        #expect(tls.verifyPeer)
        #expect(!tls.verifyHostname)
        #expect(tls.maximumVersion == .tls1_2)
        let error = #expect(throws: AMQPError.self) { try TLSConfiguration(query: ["ssl_no_such": "1"]) }
        #expect(error?.code == .invalidURL)
        // It may be a piece of a password: `amqp://user:pass?ssl_word=@host`.
        #expect(error?.description.contains("no_such") == false)
    }
}
