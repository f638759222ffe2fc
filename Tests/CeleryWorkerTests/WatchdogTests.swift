import AMQP
import Celery
import CeleryTestKit
import Testing

@testable import CeleryWorker

@Suite("Watchdog")
struct WatchdogTests {
    /// A watchdog that is asked at its own interval.
    private struct Run {
        var watchdog: ConsumingWatchdog
        var now = ContinuousClock.now
        let interval: Duration

        let sharing: ConsumingWatchdog.Sharing

        init(limit: Duration = .seconds(900), _ sharing: ConsumingWatchdog.Sharing = .shared) {
            watchdog = ConsumingWatchdog(limit: limit)
            self.sharing = sharing
            interval = ConsumingWatchdog.interval(limit: limit)
        }

        /// Looks once; a probe shows this.
        mutating func look(
            _ probe: ConsumingWatchdog.Probe,
            deliveries: Int = 0,
            after: Int? = nil
        ) -> ConsumingWatchdog.Action {
            now += interval
            let action = watchdog.look(deliveries: deliveries, now: now)
            guard action == .probe else { return action }
            return watchdog.probed(probe, of: sharing, deliveries: after ?? deliveries, now: now)
        }

        mutating func looks(_ count: Int, _ probe: ConsumingWatchdog.Probe) -> [ConsumingWatchdog.Action] {
            (0..<count).map { _ in look(probe) }
        }
    }

    private static let lost = ConsumingWatchdog.Probe.status(consumers: 0, ready: 0, hasCredit: true)
    private static let idle = ConsumingWatchdog.Probe.status(consumers: 1, ready: 0, hasCredit: true)
    private static let stuck = ConsumingWatchdog.Probe.status(consumers: 1, ready: 5, hasCredit: true)

    @Test("deliveries prove it without a probe")
    func deliveries() {
        var run = Run()
        for count in 1...100 {
            let action = run.look(.failed, deliveries: count)
            #expect(action == .none)
        }
        #expect(run.watchdog.unprovenFor == .zero)
    }

    @Test(
        "a queue that has our consumer and no message for it proves it",
        arguments: [
            idle, .status(consumers: 3, ready: 0, hasCredit: true), .status(consumers: 1, ready: 9, hasCredit: false),
        ]
    )
    func proofs(_ probe: ConsumingWatchdog.Probe) {
        var run = Run()
        let actions = run.looks(1_000, probe)
        #expect(actions.allSatisfy { $0 == .none })
    }

    @Test("messages of a single active consumer may wait for another one's credit")
    func singleActive() {
        var run = Run(.singleActive)
        let actions = run.looks(1_000, .status(consumers: 2, ready: 5, hasCredit: true))
        #expect(actions.allSatisfy { $0 == .none })
        let lost = run.looks(2, Self.lost)
        #expect(lost == [.none, .replaceChannel])
    }

    @Test("unproven twice in a row, the channel is replaced", arguments: [lost, stuck, .failed])
    func replacement(_ probe: ConsumingWatchdog.Probe) {
        var run = Run()
        _ = run.look(probe)
        let proof = run.look(Self.idle)
        #expect(proof == .none)
        let actions = run.looks(2, probe)
        #expect(actions == [.none, .replaceChannel])
        // Then ever more seldom.
        let more = run.looks(12, probe)
        #expect(more.indices.filter { more[$0] == .replaceChannel } == [3, 11])
    }

    @Test("a delivery during the probe counts")
    func deliveryDuringProbe() {
        var run = Run()
        _ = run.look(Self.stuck)
        let action = run.look(Self.stuck, after: 1)
        #expect(action == .none)
        let next = run.look(Self.stuck, deliveries: 1)
        #expect(next == .none)
        #expect(run.watchdog.unprovenFor == run.interval)
    }

    @Test("unproven for longer than the limit, it gives up", arguments: [lost, stuck, .failed, .notConsuming])
    func end(_ probe: ConsumingWatchdog.Probe) {
        var run = Run(limit: .seconds(900))
        var looks = 0
        while looks < 100 {
            looks += 1
            if run.look(probe) == .giveUp { break }
        }
        // The first look begins the time; more than 15 minutes of one minute each follow.
        #expect(looks == 17)
        let actions = run.looks(5, .notConsuming)
        #expect(!actions.contains(.replaceChannel))
    }

    @Test("while other queues are consumed it goes on to replace the channel, and ends once they are not")
    func othersWork() {
        var watchdog = ConsumingWatchdog(limit: .seconds(900))
        var now = ContinuousClock.now
        var actions: [ConsumingWatchdog.Action] = []
        for look in 0..<200 {
            now += .seconds(60)
            actions.append(watchdog.probed(.failed, of: .shared, deliveries: 0, othersWork: look < 199, now: now))
        }
        #expect(!actions.dropLast().contains(.giveUp))
        #expect(actions.suffix(100).contains(.replaceChannel))
        #expect(actions.last == .giveUp)
    }

    @Test("time without a connection does not count, and what counted before is kept")
    func disconnected() {
        var run = Run(limit: .seconds(900))
        _ = run.looks(11, Self.lost)
        #expect(run.watchdog.unprovenFor == .seconds(600))
        run.watchdog.disconnected()
        run.now += .seconds(100_000)
        let first = run.look(Self.lost)
        #expect(first != .giveUp)
        #expect(run.watchdog.unprovenFor == .seconds(600))
        let actions = run.looks(6, Self.lost)
        #expect(actions.last == .giveUp)
    }

    @Test(
        "a queue that may have another active consumer is no reason to end, only to subscribe anew",
        arguments: [1, 4]
    )
    func unknownSharing(_ consumers: Int) {
        var run = Run(.unknown)
        let actions = run.looks(1_000, .status(consumers: consumers, ready: 5, hasCredit: true))
        #expect(actions.contains(.replaceChannel))
        #expect(!actions.contains(.giveUp))
        let lost = run.looks(20, Self.lost)
        #expect(lost.contains(.giveUp))
    }

    @Test("a queue that others consume too, and that gives us nothing although we have credit, ends it")
    func others() {
        var run = Run()
        let actions = run.looks(20, .status(consumers: 4, ready: 5, hasCredit: true))
        #expect(actions.contains(.giveUp))
    }

    @Test("a pause of the whole process does not end the worker at once")
    func pause() {
        var run = Run(limit: .seconds(900))
        _ = run.look(Self.idle)
        run.now += .seconds(7_200)
        let actions = run.looks(6, .failed)
        #expect(!actions.contains(.giveUp))
        let proof = run.look(Self.idle)
        #expect(proof == .none)
        #expect(run.watchdog.unprovenFor == .zero)
    }

    @Test("looks once a minute, and oftener where the limit is short")
    func intervals() {
        #expect(ConsumingWatchdog.interval(limit: .seconds(900)) == .seconds(60))
        #expect(ConsumingWatchdog.interval(limit: .seconds(86_400)) == .seconds(60))
        #expect(ConsumingWatchdog.interval(limit: .seconds(15)) == .seconds(1))
    }
}

@Suite("Worker: watchdog")
struct WorkerWatchdogTests {
    private static func register(_ tasks: inout TaskRegistry) {
        tasks.register("proj.one") { (context: TaskContext) -> Int in 1 }
    }

    private func celery(_ timeout: Duration) -> CeleryConfiguration {
        var celery = CeleryConfiguration()
        celery.workerWatchdogTimeout = timeout
        return celery
    }

    @Test("a consumer that was lost silently is noticed and subscribed again")
    func silentLoss() async throws {
        try await WorkerHarness.run(celery: celery(.seconds(30)), register: Self.register) { harness in
            harness.broker.loseConsumers(of: "celery")
            let id = try harness.send("proj.one")
            #expect(try await harness.result(of: id).result == 1)
            #expect(harness.worker.statistics.watchdogReplacements >= 1)
            #expect(harness.worker.statistics.consumers >= 2)
            #expect(harness.broker.openConnectionCount == 2)
        }
    }

    @Test("a worker ends where subscribing again does not help")
    func givesUp() async throws {
        let broker = InMemoryBroker()
        let harness = try WorkerHarness(
            WorkerConfiguration(),
            celery: celery(.milliseconds(600)),
            broker: broker,
            register: Self.register
        )
        let running = Task { try await harness.worker.run() }
        await harness.worker.waitUntilReady()
        broker.losesNewConsumers = true
        broker.loseConsumers(of: "celery")
        let error = await #expect(throws: CeleryError.self) { try await running.value }
        #expect(error?.code == .consumingStopped)
        #expect(harness.worker.statistics.watchdogReplacements >= 1)
        #expect(broker.openConnectionCount == 0)
    }

    @Test("a worker goes on with its other queues where one does not come back")
    func oneDeadQueue() async throws {
        var celery = celery(.milliseconds(600))
        celery.taskQueues = ["alive", "dead"]
        try await WorkerHarness.run(celery: celery, register: Self.register) { harness in
            harness.broker.losesNewConsumers = true
            harness.broker.loseConsumers(of: "dead")
            // The limit has passed long before that: replacements become ever rarer.
            try await eventually("the channel was replaced often") {
                harness.worker.statistics.watchdogReplacements >= 4
            }
            let id = try harness.send("proj.one", options: TaskOptions(queue: "alive"))
            #expect(try await harness.result(of: id).result == 1)
            harness.broker.losesNewConsumers = false
            let late = try harness.send("proj.one", options: TaskOptions(queue: "dead"))
            #expect(try await harness.result(of: late).result == 1)
        }
    }

    @Test("a worker without work is left alone")
    func idle() async throws {
        try await WorkerHarness.run(celery: celery(.seconds(30)), register: Self.register) { harness in
            // More than two looks, which are two seconds apart.
            try await Task.sleep(for: .seconds(5))
            #expect(harness.worker.statistics.watchdogReplacements == 0)
            let id = try harness.send("proj.one")
            #expect(try await harness.result(of: id).result == 1)
        }
    }

    @Test("messages that stand ready while the credit is used up are no reason to act")
    func usedCredit() async throws {
        let gate = TestGate()
        let configuration = WorkerConfiguration(concurrency: 1, prefetchMultiplier: 2)
        try await WorkerHarness.run(configuration, celery: celery(.seconds(30))) { tasks in
            tasks.register("proj.wait", options: .init(acks: .late)) { (context: TaskContext) in await gate.wait() }
        } _: { harness in
            for _ in 0..<10 { try harness.send("proj.wait") }
            try await eventually("the credit is used up") { harness.broker.unackedCount(of: "celery") == 2 }
            // More than two looks, which are two seconds apart.
            try await Task.sleep(for: .seconds(5))
            #expect(harness.worker.statistics.watchdogReplacements == 0)
            gate.open()
            try await harness.queueIsEmpty()
        }
    }
}
