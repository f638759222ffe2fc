import Testing

@testable import CeleryCommandLine

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

@Suite struct SignalTrapTests {
    @Test(.timeLimit(.minutes(1)))
    func hearsASignalInsteadOfEndingTheProcess() async {
        let (signals, continuation) = AsyncStream.makeStream(of: ShutdownSequence.Signal.self)
        let trap = SignalTrap([.quit]) { continuation.yield($0) }
        kill(getpid(), SIGQUIT)
        #expect(await signals.first { _ in true } == .quit)
        trap.stop()
    }
}
