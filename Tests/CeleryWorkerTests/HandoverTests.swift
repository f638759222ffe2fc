import AMQP
import Celery
import CeleryProtocol
import CeleryTestKit
import Synchronization
import Testing

@testable import CeleryWorker

@Suite("Handover")
struct HandoverTests {
    /// A ladder of one queue, which a test may break.
    private final class Ladder: DelayLadderAccess {
        struct State {
            var failure: CeleryError?
            var prepared: [String] = []
            var seconds: [Int] = []
        }

        let state = Mutex(State())

        func admits(_ queue: Queue) -> Bool { queue.name != "too long" }

        func prepare(_ queue: String) async throws(CeleryError) {
            let failure = state.withLock { state in
                state.prepared.append(queue)
                return state.failure
            }
            if let failure { throw failure }
        }

        func forget(_ queue: Queue) {}

        func message(
            _ original: IncomingMessage,
            queue: String,
            seconds: Int
        ) throws(CeleryError) -> OutgoingMessage {
            state.withLock { $0.seconds.append(seconds) }
            return OutgoingMessage(routingKey: "ladder", properties: original.properties, body: original.body)
        }
    }

    /// A hand-over between a consuming channel and a publisher over one broker in memory.
    private struct Bench {
        let broker = InMemoryBroker()
        let counters = WorkerCounters()
        let intake = Intake()
        let ladder = Ladder()
        let logs = LogRecorder()
        let ledger: DeliveryLedger
        let publisher: ConfirmPublisher
        let handover: Handover
        let channel: any BrokerChannel
        let epoch: ChannelEpoch

        init() async throws {
            broker.declareQueue(QueueDeclaration(name: "q"))
            broker.declareQueue(QueueDeclaration(name: "ladder"))
            ledger = DeliveryLedger(counters: counters)
            publisher = ConfirmPublisher(window: 10, policy: .results)
            let connection = try await broker.connect(.consume)
            channel = try await connection.openChannel(confirms: false)
            epoch = ledger.open(channel)
            await publisher.attach(try await connection.openChannel(confirms: true), oneByOne: false)
            handover = Handover(
                ladder: ladder,
                publisher: publisher,
                ledger: ledger,
                intake: intake,
                counters: counters,
                logger: logs.logger(),
                spawn: { work in Task { await work() } }
            )
        }

        /// A delivery of the queue, parked for so many seconds.
        func deliver(_ number: UInt8, seconds: Int64 = 600) async throws -> HandoverParcel {
            try broker.publish(OutgoingMessage(routingKey: "q", body: [number]))
            let message = try #require(try await channel.get("q", noAck: false))
            let id = try #require(ledger.register(epoch, tags: [message.deliveryTag])?.first)
            var packer = MessagePacker()
            let parked = ParkedDelivery(
                message: packer.pack(message),
                delivery: id,
                epoch: epoch,
                consumerTag: "w1",
                redelivered: false,
                eta: WorkerClock.now() + seconds * 1_000_000 + 500_000,
                expires: nil,
                deadline: nil,
                arrival: .now
            )
            return HandoverParcel(parked, queue: "q")
        }

        func outcomes(_ count: Int) async -> [HandoverOutcome] {
            var outcomes: [HandoverOutcome] = []
            while outcomes.count < count {
                for case .handedOver(_, let outcome) in await intake.next() { outcomes.append(outcome) }
            }
            return outcomes
        }
    }

    @Test("publishes the copy, and acknowledges the original when it is confirmed")
    func handsOver() async throws {
        let bench = try await Bench()
        bench.broker.holdsConfirms = true
        for number in 0..<3 { bench.handover.submit(try await bench.deliver(UInt8(number))) }
        try await eventually("all are there") { bench.broker.messages(in: "ladder").count == 3 }
        #expect(bench.broker.unackedCount(of: "q") == 3)
        bench.broker.holdsConfirms = false
        #expect(await bench.outcomes(3) == [.done, .done, .done])
        #expect(bench.broker.unackedCount(of: "q") == 0)
        #expect(bench.broker.messages(in: "ladder").map(\.body) == [[0], [1], [2]])
        #expect(bench.ladder.state.withLock { $0.seconds }.allSatisfy { (540...600).contains($0) })
        #expect(bench.counters.handedOver.count == 3)
        #expect(bench.ledger.count == 0)
    }

    @Test("a ladder that cannot be had is tried again later, and leaves the delivery in the worker")
    func failure() async throws {
        let bench = try await Bench()
        bench.ladder.state.withLock { $0.failure = CeleryError(.topology, "not allowed") }
        #expect(bench.handover.accepts("q"))
        for number in 0..<3 { bench.handover.submit(try await bench.deliver(UInt8(number))) }
        #expect(await bench.outcomes(3) == [.failed, .failed, .failed])
        #expect(!bench.handover.accepts("q"))
        #expect(bench.handover.accepts("another"))
        #expect(bench.broker.unackedCount(of: "q") == 3)
        #expect(bench.counters.failedHandovers.count >= 1)
        #expect(bench.logs.messages.filter { $0.contains("delay ladder") }.count == 1)
    }

    @Test("a copy that no queue takes fails")
    func unroutable() async throws {
        let bench = try await Bench()
        bench.broker.deleteQueue("ladder")
        bench.handover.submit(try await bench.deliver(1))
        #expect(await bench.outcomes(1) == [.failed])
        #expect(bench.broker.unackedCount(of: "q") == 1)
    }

    @Test("what the broker has back, and what is due at once, is not published")
    func tooLate() async throws {
        let bench = try await Bench()
        let (lost, due) = (try await bench.deliver(1), try await bench.deliver(2, seconds: 0))
        bench.ledger.settle(lost.parked.delivery, .reject(requeue: true))
        bench.handover.submit(lost)
        bench.handover.submit(due)
        #expect(await bench.outcomes(2) == [.failed, .failed])
        #expect(bench.broker.messages(in: "ladder").isEmpty)
        #expect(bench.handover.accepts("q"))
        #expect(!bench.handover.accepts("too long"))
    }

    @Test("no more than a window is unconfirmed; the rest can be taken back")
    func bounded() async throws {
        let bench = try await Bench()
        bench.broker.holdsConfirms = true
        let total = Handover.window + 50
        for number in 0..<total { bench.handover.submit(try await bench.deliver(UInt8(number % 256))) }
        try await eventually("the window is full") { bench.broker.messages(in: "ladder").count == Handover.window }
        try await Task.sleep(for: .milliseconds(20))
        #expect(bench.broker.messages(in: "ladder").count == Handover.window)
        // One of them waits for room already.
        #expect(bench.handover.withdraw { _ in true }.count == 49)
        bench.broker.holdsConfirms = false
        #expect(await bench.outcomes(Handover.window + 1).allSatisfy { $0 == .done })
    }
}
