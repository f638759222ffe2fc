import Glibc
import Logging
import Synchronization

@testable import AMQP

/// A broker that does what a test's script says, on a port of the loopback.
final class ScriptedPeer: Sendable {
    let port: Int
    private let listener: Int32
    private let script: @Sendable (PeerSocket) throws -> Void
    private let accepted = Mutex<[PeerSocket]>([])

    init(_ script: @escaping @Sendable (PeerSocket) throws -> Void) throws {
        self.script = script
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        port = try withUnsafeMutablePointer(to: &address) { pointer in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                guard bind(listener, address, length) == 0, listen(listener, 16) == 0,
                    getsockname(listener, address, &length) == 0
                else { throw PeerSocket.Failure.closed }
            }
            return Int(UInt16(bigEndian: pointer.pointee.sin_port))
        }
        try DetachedThread.start(name: "peer") { [weak self] in
            while true {
                let descriptor = accept(listener, nil, nil)
                guard descriptor >= 0 else { break }
                guard let self else {
                    _ = Glibc.close(descriptor)
                    break
                }
                let socket = PeerSocket(descriptor)
                self.accepted.withLock { $0.append(socket) }
                let script = self.script
                try? DetachedThread.start(name: "peer-script") {
                    try? script(socket)
                    socket.finish()
                }
            }
            _ = Glibc.close(listener)
        }
    }

    deinit {
        // `accept` returns; the thread closes the descriptor.
        shutdown(listener, Int32(SHUT_RDWR))
        for socket in accepted.withLock({ $0 }) { socket.end() }
    }

    /// How to connect to it.
    func configuration(
        heartbeat: Duration = .zero,
        _ change: (inout ConnectionConfiguration) -> Void = { _ in }
    ) throws -> ConnectionConfiguration {
        var configuration = try ConnectionConfiguration(uri: AMQPURI(host: "127.0.0.1", port: port))
        configuration.heartbeat = heartbeat
        change(&configuration)
        return configuration
    }

    func connect(
        heartbeat: Duration = .zero,
        _ change: (inout ConnectionConfiguration) -> Void = { _ in }
    ) async throws -> AMQPConnection {
        try await AMQPConnection.connect(
            configuration(heartbeat: heartbeat, change),
            logger: Logger(label: "scripted peer")
        )
    }
}
