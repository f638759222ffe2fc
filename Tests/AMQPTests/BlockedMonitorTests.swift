import Synchronization
import Testing

@testable import AMQP

@Suite("BlockedMonitor tells of connection.blocked")
struct BlockedMonitorTests {
    private final class Log: Sendable {
        let states = Mutex<[BlockedState]>([])

        var all: [BlockedState] { states.withLock { $0 } }
        var handler: BlockedHandler { { state in self.states.withLock { $0.append(state) } } }
    }

    @Test func handlersAreToldOfChangesOnly() {
        let (monitor, log) = (BlockedMonitor(), Log())
        #expect(monitor.onChange(log.handler) == .unblocked)
        monitor.change(to: .blocked(reason: "low on memory"))
        monitor.change(to: .blocked(reason: "low on memory"))
        #expect(monitor.isBlocked)
        #expect(monitor.current == .blocked(reason: "low on memory"))
        monitor.change(to: .unblocked)
        #expect(log.all == [.blocked(reason: "low on memory"), .unblocked])
    }

    @Test func lateHandlerGetsThePresentState() {
        let (monitor, log) = (BlockedMonitor(), Log())
        monitor.change(to: .blocked(reason: "low on disk"))
        #expect(monitor.onChange(log.handler) == .blocked(reason: "low on disk"))
        #expect(log.all.isEmpty)
    }

    @Test func endUnblocksAndFreesTheHandlers() {
        let (monitor, log) = (BlockedMonitor(), Log())
        _ = monitor.onChange(log.handler)
        monitor.change(to: .blocked(reason: ""))
        monitor.end()
        #expect(!monitor.isBlocked)
        monitor.change(to: .blocked(reason: "again"))
        #expect(log.all == [.blocked(reason: ""), .unblocked])
        #expect(monitor.onChange(log.handler) == .blocked(reason: "again"))
        monitor.change(to: .unblocked)
        #expect(log.all.count == 2)
    }

    @Test func handlerMayAskTheMonitor() {
        let (monitor, log) = (BlockedMonitor(), Log())
        _ = monitor.onChange { _ in log.handler(monitor.current) }
        monitor.change(to: .blocked(reason: "r"))
        #expect(log.all == [.blocked(reason: "r")])
        // Lets go of the handler, which holds the monitor.
        monitor.end()
    }
}
