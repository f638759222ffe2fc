import AMQP
import Foundation
import Logging
import Synchronization
import Testing

@Suite(
    "AMQPConnection over TLS",
    .enabled(if: BrokerEnvironment.tlsURL != nil, "needs RabbitMQ with TLS: Interop/broker.sh run swift test"),
    .timeLimit(.minutes(2))
)
struct AMQPTLSTests {
    private func configuration(
        trusting authorities: String? = BrokerEnvironment.tlsAuthorities,
        _ change: (inout ConnectionConfiguration) -> Void = { _ in }
    ) throws -> ConnectionConfiguration {
        let text = try #require(BrokerEnvironment.tlsURL)
        let address = try #require(try AMQPURI.parse(text).first)
        var configuration = try ConnectionConfiguration(uri: address)
        configuration.tls.certificateAuthorityFile = authorities
        change(&configuration)
        return configuration
    }

    private func error(_ configuration: ConnectionConfiguration) async -> AMQPError? {
        await amqpError { () throws(AMQPError) in
            let connection = try await AMQPConnection.connect(configuration, logger: Logger(label: "test"))
            let channel = try await connection.openChannel()
            await channel.close()
            await connection.close()
        }
    }

    // MARK: Authorities and names

    @Test func connectsWhereTheAuthorityIsTrusted() async throws {
        #expect(await error(try configuration()) == nil)
    }

    @Test func refusesAnUnknownAuthority() async throws {
        #expect(await error(try configuration(trusting: nil))?.code == .tls)
    }

    /// The broker's certificate names `localhost` and 127.0.0.1; it listens on 127.0.0.1 alone.
    @Test func refusesAnotherHostName() async throws {
        // What inet_aton reads as 127.0.0.1 is a name that no certificate has.
        #expect(await error(try configuration { $0.uri.host = "127.1" })?.code == .tls)
    }

    @Test func acceptsAnotherHostNameOnlyWhenAsked() async throws {
        let lax = try configuration {
            $0.uri.host = "127.1"
            $0.tls.verifyHostname = false
        }
        #expect(await error(lax) == nil)
    }

    @Test func connectsWithoutVerificationOnlyWhenAsked() async throws {
        let lax = try configuration(trusting: nil) {
            $0.tls.verifyPeer = false
            $0.tls.verifyHostname = false
        }
        #expect(await error(lax) == nil)
    }

    @Test func missingAuthorityFileIsAnError() async throws {
        #expect(await error(try configuration(trusting: "/no/such/file.pem"))?.code == .tls)
    }

    // MARK: Client certificates

    @Test func certificateLogsIn() async throws {
        let external = try configuration {
            $0.uri.userName = "nobody"
            $0.uri.password = "wrong"
            $0.saslMechanism = .external
            $0.tls.certificateFile = BrokerEnvironment.tlsCertificate
            $0.tls.keyFile = BrokerEnvironment.tlsKey
        }
        #expect(await error(external) == nil)
    }

    @Test func externalNeedsACertificate() async throws {
        let code = await error(try configuration { $0.saslMechanism = .external })?.code
        #expect(code == .authenticationFailed)
    }

    @Test func certificateDoesNotStandInTheWayOfAPassword() async throws {
        let both = try configuration {
            $0.tls.certificateFile = BrokerEnvironment.tlsCertificate
            $0.tls.keyFile = BrokerEnvironment.tlsKey
        }
        #expect(await error(both) == nil)
    }

    @Test func brokerUseSSLReachesTheBroker() async throws {
        let options = [
            "ca_certs": try #require(BrokerEnvironment.tlsAuthorities),
            "certfile": try #require(BrokerEnvironment.tlsCertificate),
            "keyfile": try #require(BrokerEnvironment.tlsKey),
            "cert_reqs": "CERT_REQUIRED", "ssl_version": "PROTOCOL_TLSv1_2",
        ]
        let tls = try TLSConfiguration(brokerUseSSL: options)
        let external = try configuration {
            $0.saslMechanism = .external
            $0.tls = tls
        }
        #expect(await error(external) == nil)
    }

    @Test func keyOfAnotherCertificateIsAnError() async throws {
        let broken = try configuration {
            $0.tls.certificateFile = BrokerEnvironment.tlsAuthorities
            $0.tls.keyFile = BrokerEnvironment.tlsKey
        }
        #expect(await error(broken)?.code == .tls)
    }

    /// OpenSSL would ask for the password on the terminal, and so hang a worker for ever.
    @Test func keyWithAPasswordIsAnErrorAndNobodyIsAsked() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let locked = folder.appendingPathComponent("locked.key").path
        let key = try #require(BrokerEnvironment.tlsKey)
        let process = openssl(["ec", "-aes128", "-passout", "pass:secret", "-in", key, "-out", locked])
        // Not `waitUntilExit`: it may miss the end where no run loop runs.
        let status = try await withCheckedThrowingContinuation { continuation in
            process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
            do { try process.run() } catch { continuation.resume(throwing: error) }
        }
        try #require(status == 0)
        let broken = try configuration {
            $0.tls.certificateFile = BrokerEnvironment.tlsCertificate
            $0.tls.keyFile = locked
        }
        #expect(await error(broken)?.code == .tls)
    }

    // MARK: Versions

    @Test(arguments: [TLSConfiguration.Version.tls1_2, .tls1_3])
    func offersEachVersion(_ version: TLSConfiguration.Version) async throws {
        let exact = TLSConfiguration(verifyHostname: true, minimumVersion: version, maximumVersion: version)
        #expect(try await speaksTLS(version == .tls1_2 ? "-tls1_2" : "-tls1_3", exact))
    }

    /// Against a server of one version only: OpenSSL's own.
    @Test(arguments: [
        ("-tls1_1", TLSConfiguration.Version.tls1_2), ("-tls1_2", .tls1_3),
    ])
    func refusesLessThanTheMinimum(_ server: String, _ minimum: TLSConfiguration.Version) async throws {
        #expect(try await !speaksTLS(server, TLSConfiguration(minimumVersion: minimum)))
    }

    /// The tests run side by side: each server has a port of its own.
    private static let nextPort = Atomic<Int>(Int.random(in: 32_000..<32_600))

    /// Whether a server of OpenSSL's that speaks one version only gets through the TLS handshake.
    private func speaksTLS(_ version: String, _ tls: TLSConfiguration) async throws -> Bool {
        let authorities = try #require(BrokerEnvironment.tlsAuthorities)
        let folder = URL(fileURLWithPath: authorities).deletingLastPathComponent()
        let port = Self.nextPort.add(1, ordering: .relaxed).newValue
        let server = openssl([
            "s_server", version, "-cipher", "ALL:@SECLEVEL=0", "-accept", "127.0.0.1:\(port)", "-quiet",
            "-cert", folder.appendingPathComponent("server.pem").path,
            "-key", folder.appendingPathComponent("server.key").path,
        ])
        try server.run()
        defer { server.terminate() }
        var configuration = try ConnectionConfiguration(uri: AMQPURI(host: "localhost", port: port, tls: true))
        configuration.connectTimeout = .seconds(2)
        configuration.tls = tls
        configuration.tls.certificateAuthorityFile = authorities
        for _ in 0..<200 {
            let failure = await error(configuration)
            switch failure?.code {
            case .tls: return false
            // The server is not there yet.
            case .connectionFailed where failure?.message.contains("handshake") == false:
                try await Task.sleep(for: .milliseconds(100))
            // AMQP's handshake gets no answer.
            default: return true
            }
        }
        throw AMQPError(.connectionFailed, "openssl s_server did not start")
    }

    private func openssl(_ arguments: [String]) -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["openssl"] + arguments
        process.standardInput = Pipe()
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        return process
    }
}
