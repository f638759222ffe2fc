import AMQP
import Celery
import CeleryProtocol
import CeleryTestKit
import CeleryWorker
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization
import Testing

@testable import CeleryHealth

/// Real HTTP, against workers over a broker in memory.
@Suite struct HealthServerTests {
    private func worker(
        _ broker: InMemoryBroker = InMemoryBroker(),
        _ register: (inout TaskRegistry) -> Void = { _ in }
    ) throws -> Worker {
        var registry = TaskRegistry()
        register(&registry)
        return try Worker(
            broker: broker,
            configuration: WorkerConfiguration(concurrency: 2),
            celery: CeleryConfiguration(),
            registry: registry,
            logger: LogRecorder().logger()
        )
    }

    /// Runs a server on a free port around the body.
    private func serve(
        _ worker: Worker,
        limits: ConnectionLimits = ConnectionLimits(),
        _ body: (Int) async throws -> Void
    ) async throws {
        let server = HealthServer(
            worker: worker,
            address: "127.0.0.1",
            port: 0,
            logger: LogRecorder().logger(),
            limits: limits
        )
        try await server.start()
        do {
            try await body(try #require(server.port))
            await server.stop()
        } catch {
            await server.stop()
            throw error
        }
        #expect(server.port == nil)
    }

    private func eventually(_ what: String, _ condition: () async throws -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while try await !condition() {
            try #require(ContinuousClock.now < deadline, "did not come: \(what)")
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    @Test func aWorkerIsFollowedThroughItsLife() async throws {
        let worker = try worker()
        try await serve(worker) { port in
            // The worker's own thread is there before it runs.
            #expect(try await HTTPClient.get(port, "/live").status == 200)
            #expect(try await HTTPClient.get(port, "/startup").status == 503)
            let early = try await HTTPClient.get(port, "/ready")
            #expect(early.status == 503)
            #expect(early.body == "not ready: starting: not connected to the broker\n")
            let running = Task { try await worker.run() }
            try await eventually("ready") { try await HTTPClient.get(port, "/ready").status == 200 }
            #expect(try await HTTPClient.get(port, "/startup").body == "started\n")
            #expect(try await HTTPClient.get(port, "/live").body == "live\n")
            worker.triggerShutdown()
            let late = try await HTTPClient.get(port, "/ready")
            #expect(late.status == 503)
            try await running.value
            #expect(try await HTTPClient.get(port, "/ready").body == "not ready: the worker has ended\n")
        }
    }

    @Test func otherRequestsAreRefused() async throws {
        try await serve(try worker()) { port in
            #expect(try await HTTPClient.get(port, "/").status == 404)
            #expect(try await HTTPClient.get(port, "/live/").status == 404)
            #expect(try await HTTPClient.get(port, "/startup?x=1").status == 503)
            let post = try await HTTPClient.get(port, "/live", method: "POST")
            #expect(post.status == 405)
            #expect(post.headers["allow"] == "GET, HEAD")
            let head = try await HTTPClient.get(port, "/live", method: "HEAD")
            #expect(head.status == 200)
            #expect(head.body == "")
            #expect(head.headers["content-length"] == "5")
            #expect(try await HTTPClient.exchange(port, sending: "\u{16}\u{3}\u{1} no HTTP\r\n\r\n") == "")
        }
    }

    @Test func aConnectionTakesOneRequest() async throws {
        try await serve(try worker()) { port in
            let request = "GET /live HTTP/1.1\r\nHost: a\r\n\r\n"
            let text = try await HTTPClient.exchange(port, sending: request + request)
            #expect(text.split(separator: "HTTP/1.1 200").count == 1)
            #expect(text.contains("Connection: close"))
        }
    }

    @Test func clientsThatAskTooMuchAreCutOff() async throws {
        var limits = ConnectionLimits()
        limits.lifetime = .milliseconds(300)
        limits.connections = 3
        try await serve(try worker(), limits: limits) { port in
            let long = "GET /live HTTP/1.1\r\nX: \(String(repeating: "a", count: 20_000))\r\n\r\n"
            #expect(try await HTTPClient.exchange(port, sending: long) == "")
            // Two say nothing, one says half of a request: each is closed after a while, and meanwhile nobody gets in.
            async let first = HTTPClient.exchange(port, sending: "")
            async let second = HTTPClient.exchange(port, sending: "GET /live HTTP/1.1\r\nHost:")
            #expect(try await first == "")
            #expect(try await second == "")
            try await eventually("served again") {
                (try? await HTTPClient.get(port, "/live").status) == 200
            }
        }
    }

    @Test func thereAreNotTooManyConnections() async throws {
        let open = OpenConnections()
        #expect(open.enter(limit: 2))
        #expect(open.enter(limit: 2))
        #expect(!open.enter(limit: 2))
        open.leave()
        #expect(open.enter(limit: 2))
        var limits = ConnectionLimits()
        limits.connections = 0
        try await serve(try worker(), limits: limits) { port in
            let text = try? await HTTPClient.exchange(port, sending: "GET /live HTTP/1.1\r\n\r\n")
            #expect(text ?? "" == "")
        }
    }

    @Test func aPortThatIsTakenIsAnError() async throws {
        let worker = try worker()
        try await serve(worker) { port in
            await #expect(throws: (any Error).self) {
                _ = try await HealthServer.start(
                    for: worker,
                    address: "127.0.0.1",
                    port: port,
                    logger: LogRecorder().logger()
                )
            }
        }
    }

    @Test func metricsTellWhatHasRun() async throws {
        let broker = InMemoryBroker()
        let worker = try worker(broker) { registry in
            registry.register("add", arguments: "x", "y") { (x: Int, y: Int) in x + y }
            registry.register("fail", arguments: "x") { (x: Int) -> Int in throw TaskError(type: "ValueError", "bad") }
            registry.register("idle", arguments: "x") { (x: Int) in x }
        }
        try await serve(worker) { port in
            let running = Task { try await worker.run() }
            await worker.waitUntilReady()
            let composer = TaskComposer(configuration: CeleryConfiguration())
            for (name, args) in [("add", [1, 2]), ("add", [3, 4]), ("fail", [1])] as [(String, [JSONValue])] {
                var options = TaskOptions()
                if name == "add" { options.properties.timestamp = 1_000_000_000 }
                let composition = try composer.compose(
                    Signature(name, args: args),
                    options: options,
                    context: SendContext()
                )
                for task in composition.tasks { try broker.publish(task.message) }
            }
            try await eventually("all have ended") { worker.statistics.succeeded == 2 && worker.statistics.failed == 1 }
            let answer = try await HTTPClient.get(port, "/metrics")
            #expect(answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
            let page = try PrometheusPage(parsing: answer.body)
            #expect(page.value("swcelery_task_outcomes_total", ["task": "add", "outcome": "succeeded"]) == 2)
            #expect(page.value("swcelery_task_outcomes_total", ["task": "fail", "outcome": "failed"]) == 1)
            #expect(page.value("swcelery_task_outcomes_total", ["task": "add", "outcome": "failed"]) == nil)
            #expect(page.value("swcelery_task_runtime_seconds_count", ["task": "add"]) == 2)
            #expect(page.value("swcelery_task_prefetched_seconds_count", ["task": "fail"]) == 1)
            // Only messages that tell when they were published have a latency: since 2001.
            #expect(page.value("swcelery_task_queue_latency_seconds_count", ["task": "add"]) == 2)
            #expect(page.value("swcelery_task_queue_latency_seconds_bucket", ["task": "add", "le": "3600.0"]) == 0)
            #expect(page.value("swcelery_task_queue_latency_seconds_count", ["task": "fail"]) == nil)
            #expect(page.value("swcelery_task_runtime_seconds_count", ["task": "idle"]) == nil)
            #expect(page.value("swcelery_worker_received_total") == 3)
            #expect(page.value("swcelery_worker_slots") == 2)
            worker.triggerShutdown()
            try await running.value
        }
    }

    @Test func asAServiceItEndsWithTheGroup() async throws {
        let worker = try worker()
        let server = HealthServer(worker: worker, port: 0, logger: LogRecorder().logger())
        let group = ServiceGroup(services: [server, worker], logger: LogRecorder().logger())
        let running = Task { try await group.run() }
        await worker.waitUntilReady()
        try await eventually("it listens") { server.port != nil }
        #expect(try await HTTPClient.get(try #require(server.port), "/ready").status == 200)
        await group.triggerGracefulShutdown()
        try await running.value
        #expect(server.port == nil)
    }

    // MARK: Life

    @Test func aWorkerThatHangsIsNotAlive() async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let asked = Atomic(0)
        let answer = Mutex<(@Sendable () -> Void)?>(nil)
        let probe = LifeProbe(patience: .milliseconds(50)) { answered in
            asked.add(1, ordering: .relaxed)
            answer.withLock { $0 = answered }
        }
        let ask: @Sendable () async -> Bool = {
            await withCheckedContinuation { continuation in
                probe.ask(on: loop) { continuation.resume(returning: $0) }
            }
        }
        #expect(await !ask())
        #expect(await !ask())
        // One question is under way, however many want to know.
        #expect(asked.load(ordering: .relaxed) == 1)
        answer.withLock { $0 }?()
        async let alive = ask()
        try await eventually("asked again") { asked.load(ordering: .relaxed) == 2 }
        answer.withLock { $0 }?()
        _ = await alive
    }
}
