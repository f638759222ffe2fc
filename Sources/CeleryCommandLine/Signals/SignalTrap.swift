@preconcurrency import Dispatch

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Calls a closure for signals instead of what the system would do.
///
/// The closure runs on a thread of the trap's own queue, not on Swift's global pool: tasks that block that pool must not
/// keep a worker from hearing that it is to end.
final class SignalTrap: Sendable {
    private let sources: [any DispatchSourceSignal]

    /// Takes the signals over; returns when that is done.
    init(
        _ signals: [ShutdownSequence.Signal],
        onSignal: @escaping @Sendable (ShutdownSequence.Signal) -> Void
    ) {
        let queue = DispatchQueue(label: "swcelery.signals")
        let ready = DispatchGroup()
        sources = signals.map { signal in
            #if canImport(Darwin)
            // kqueue reports a signal beside its handler, so that the default one has to go.
            Darwin.signal(signal.number, SIG_IGN)
            #endif
            let source = DispatchSource.makeSignalSource(signal: signal.number, queue: queue)
            source.setEventHandler { onSignal(signal) }
            ready.enter()
            source.setRegistrationHandler { ready.leave() }
            source.resume()
            return source
        }
        ready.wait()
    }

    /// Hears no signal any more.
    func stop() {
        for source in sources { source.cancel() }
    }
}

extension ShutdownSequence.Signal {
    /// The system's number.
    var number: Int32 {
        switch self {
        case .terminate: SIGTERM
        case .interrupt: SIGINT
        case .quit: SIGQUIT
        case .hangUp: SIGHUP
        case .user1: SIGUSR1
        }
    }
}
