import AMQP
import Celery
import CeleryProtocol
import CeleryTestKit
import FoundationEssentials
import PoolTasks
import Testing

@testable import CeleryWorker

/// Each captured request, given to a worker, is answered as Celery's worker answered it.
@Suite("Captured commands of remote control")
struct ControlGoldenTests {
    /// Requests that a worker without tasks answers, in this order.
    static let plain: [(String, ReplyMatch)] = [
        ("ping", .equal), ("ping_broadcast", .equal), ("ping_control", .equal), ("ping_pattern", .equal),
        ("ping_pattern_pcre", .equal), ("ping_no_reply", .silence), ("ping_not_me", .silence),
        ("unknown_command", .equal), ("wrong_arguments", .equal), ("clock", .shape), ("report", .text),
        ("memsample", .text), ("memdump", .text), ("objgraph", .text),
        ("registered", .equal), ("registered_attrs", .equal), ("registered_builtins", .equal),
        ("active_queues", .equal), ("revoked_empty", .equal), ("revoke", .silence), ("revoke_reply", .equal),
        ("revoke_list", .set), ("revoke_terminate_unknown", .equal), ("terminate_command", .equal),
        ("revoke_by_stamped_headers", .equal), ("revoke_by_stamped_headers_terminate", .equal), ("revoked", .shape),
        ("rate_limit", .equal), ("rate_limit_off", .equal), ("rate_limit_bad", .equal), ("rate_limit_unknown", .equal),
        ("time_limit", .equal), ("time_limit_unknown", .equal), ("add_consumer", .equal), ("add_consumer_full", .equal),
        ("cancel_consumer", .equal), ("autoscale_disabled", .equal), ("pool_grow", .equal), ("pool_shrink", .equal),
        ("pool_restart", .equal), ("heartbeat", .silence), ("heartbeat_reply", .equal),
        ("enable_events_off", .equal), ("enable_events_on", .equal), ("disable_events_on", .equal),
    ]
    /// Requests to a worker that was started with `-E`.
    static let withEvents: [(String, ReplyMatch)] = [
        ("enable_events", .equal), ("disable_events", .equal), ("enable_events_again", .equal),
        ("disable_events_again", .equal),
    ]
    /// Requests to a worker that holds tasks.
    static let withTasks: [(String, ReplyMatch)] = [
        ("active", .shape), ("active_safe", .shape), ("reserved", .shape), ("scheduled", .shape),
        ("query_task", .shape), ("revoke_terminate", .equal), ("terminate", .equal),
    ]
    /// Requests to a worker whose child processes follow the work.
    static let withAutoscale: [(String, ReplyMatch)] = [
        ("stats_autoscale", .shape), ("autoscale", .equal), ("pool_grow_autoscale", .equal),
        ("pool_restart_disabled", .equal),
    ]
    /// Requests with a test of their own in this file.
    static let special = ["stats", "conf", "conf_with_defaults", "shutdown"]
    /// Requests of mingle and gossip, which tests of these cover.
    static let elsewhere = ["hello", "hello_mingle", "hello_self", "election"]

    @Test("Every capture is covered")
    func everyCaptureIsCovered() throws {
        let covered =
            (Self.plain + Self.withEvents + Self.withTasks + Self.withAutoscale).map(\.0) + Self.special
            + Self.elsewhere
        #expect(Set(covered).count == covered.count)
        #expect(try Set(ControlCapture.names()) == Set(covered))
    }

    @Test("Commands to a worker without tasks")
    func plainCommands() async throws {
        var celery = CeleryConfiguration()
        celery.workerPoolRestarts = true
        try await ControlHarness.run(celery: celery, register: Self.registerCaptured) { harness in
            try await harness.replay(Self.plain)
            #expect(harness.worker.pool.concurrency == 2)
            #expect(harness.worker.rateLimit(of: "tasks.add") == nil)
            #expect(harness.worker.queues.map(\.name) == ["work", "golden.custom2"])
            let queue = try #require(harness.worker.queues.last)
            #expect(queue.exchange?.name == "golden.x" && queue.exchange?.type == "topic" && queue.routingKey == "a.#")
            #expect(!queue.declaration.durable && queue.declaration.autoDelete)
        }
    }

    @Test("Switching events of a worker that was started with -E")
    func events() async throws {
        var celery = CeleryConfiguration()
        celery.workerSendTaskEvents = true
        try await ControlHarness.run(celery: celery) { try await $0.replay(Self.withEvents) }
    }

    @Test("Commands about tasks that the worker holds")
    func tasks() async throws {
        var celery = CeleryConfiguration()
        celery.workerETAHoldLimit = nil
        celery.workerConsumerTimeout = nil
        try await ControlHarness.run(celery: celery) { registry in
            registry.registerUntyped("tasks.sleep") { _, _, _ in
                try await Task.sleep(for: .seconds(600))
                return .null
            }
            registry.registerUntyped("tasks.add") { _, _, _ in 0 }
        } _: { harness in
            try await harness.holdCapturedTasks()
            try await harness.replay(Self.withTasks)
            // What was waiting runs in a slot that came free, and only the task for later stays.
            let broker = harness.broker
            try await eventually("one task is left") {
                broker.messages(in: "work").isEmpty && broker.unackedCount(of: "work") == 1
            }
            #expect(harness.worker.runningTasks.isEmpty)
            #expect(await ControlCommand.held(harness.worker).parked.count == 1)
        }
    }

    @Test("Commands to a worker with an autoscaler", .timeLimit(.minutes(10)))
    func autoscale() async throws {
        var configuration = ControlHarness.configuration(pool: .processes)
        configuration.concurrency = nil
        configuration.autoscale = Autoscale(max: 3, min: 1)
        try await ControlHarness.run(
            configuration,
            celery: PoolHarness.celery(),
            register: { PoolTasks.register(in: &$0) }
        ) { harness in
            try await harness.replay(Self.withAutoscale)
            #expect(harness.worker.pool.concurrency == 2)
            #expect(try await harness.ask("stats")["prefetch_count"] == 20)
        }
    }

    @Test("The statistics of a worker with child processes", .timeLimit(.minutes(10)))
    func stats() async throws {
        try await ControlHarness.run(
            ControlHarness.configuration(pool: .processes),
            celery: PoolHarness.celery { $0.workerPoolRestarts = true },
            register: { PoolTasks.register(in: &$0) }
        ) { harness in
            let id = try harness.base.send("pool.add", [1, 2], options: TaskOptions(queue: "work"))
            #expect(try await harness.base.result(of: id).result == 3)
            try await eventually("two children") { harness.worker.pool.children.count { $0.phase == .idle } == 2 }
            try await harness.replay([("stats", .shape)])
            let stats = try await harness.ask("stats")
            #expect(stats["total"] == ["pool.add": 1])
            #expect(stats["prefetch_count"] == 8)
            let before = Set(harness.worker.pool.children.map(\.pid))
            #expect(try await harness.ask("pool_restart") == ["ok": "reload started"])
            try await eventually("new children") {
                let children = harness.worker.pool.children.filter { $0.phase == .idle }
                return children.count == 2 && before.isDisjoint(with: children.map(\.pid))
            }
        }
    }

    @Test("The settings, without passwords")
    func settings() async throws {
        let celery = CeleryConfiguration(broker: "amqp://guest:secret@127.0.0.1:5674//")
        try await ControlHarness.run(celery: celery) { harness in
            let changed = try await harness.ask("conf")
            #expect(changed == ["broker_url": "amqp://guest:********@127.0.0.1:5674//", "result_backend": "rpc://"])
            #expect(try await harness.ask("dump_conf") == changed)
            let all = try #require(try await harness.ask("conf", ["with_defaults": true]).objectValue)
            let captured = try #require(try ControlCapture("conf_with_defaults").reply?.value.objectValue)
            let common = all.keys.filter { captured[$0] != nil }
            #expect(common.count > 75)
            // Numbers of seconds may be written with a fraction, and one side may have a value where the other has none.
            for key in common {
                let values = [all[key], captured[key]].compactMap(\.self).filter { !$0.isNull }
                guard values.count == 2 else { continue }
                let areNumbers = values.allSatisfy { $0.doubleValue != nil }
                #expect(
                    areNumbers || ReplyMatch.shape.difference(values[0], from: values[1]) == nil
                        || Self.otherTypes.contains(key),
                    "\(key): \(values)"
                )
            }
        }
    }

    /// Settings whose values look otherwise here: a text for the zone, a list of names, seconds for Python's `timedelta`.
    private static let otherTypes: Set<String> = [
        "timezone", "task_queues", "task_routes", "broker_use_ssl", "result_expires",
    ]

    @Test("A shutdown is not answered")
    func shutdown() async throws {
        let harness = ControlHarness(
            base: try WorkerHarness(
                ControlHarness.configuration(),
                celery: CeleryConfiguration(),
                broker: .init(),
                register: { _ in }
            )
        )
        let running = Task { try await harness.worker.run() }
        try await harness.prepare()
        try harness.send(try ControlCapture("shutdown").request)
        try await running.value
        #expect(try harness.replies().isEmpty)
        #expect(harness.base.logs.messages.contains("Got shutdown from remote"))
    }

    /// The tasks of the worker in the captures.
    private static func registerCaptured(_ registry: inout TaskRegistry) {
        let lines = (try? ControlCapture("registered").reply?.value.arrayValue) ?? []
        for name in lines.compactMap(\.stringValue).map({ String($0.prefix { $0 != " " }) }) {
            var options = TaskRegistrationOptions()
            switch name {
            case "tasks.autoretry": options.maxRetries = 5
            case "tasks.retry_exhausted": options.maxRetries = 0
            case "tasks.defaults":
                options.rateLimit = try? RateLimit("10/m")
                options.priority = 4
            default: break
            }
            registry.registerUntyped(name, options: options) { _, _, _ in .null }
        }
    }
}

extension ControlHarness {
    /// Sends the captured requests, and compares the replies with the captured ones.
    func replay(_ cases: [(String, ReplyMatch)]) async throws {
        for (name, match) in cases {
            let capture = try ControlCapture(name)
            try send(capture.request)
            if case .silence = match {
                // The answer of a later request shows that there was none.
                _ = try await ask("ping")
                #expect(try replies().allSatisfy { $0.ticket != capture.request.ticket || $0.ticket == nil }, "\(name)")
                continue
            }
            let expected = try #require(capture.reply, "\(name) has no captured reply")
            let reply = try await reply(to: capture.request)
            #expect(reply.node == expected.node)
            #expect(match.difference(reply.value, from: expected.value) == nil, "\(name)")
        }
    }

    /// Has the worker hold the tasks of the captures: two that run, one that waits, and one for later.
    func holdCapturedTasks() async throws {
        func options(_ id: String, eta: Date? = nil) -> TaskOptions {
            TaskOptions(queue: "work", eta: eta, taskID: id)
        }
        for id in ["active-task", "active-task-2"] { try base.send("tasks.sleep", [600], options: options(id)) }
        try await eventually("two running tasks") { worker.runningTasks.count { $0.startedAt != nil } == 2 }
        try base.send("tasks.add", [1, "ü"], options: options("reserved-task"))
        let eta = try WireDate(parsing: "2099-01-02T03:04:05+00:00").date
        try base.send("tasks.add", [1], kwargs: ["y": 2], options: options("scheduled-task", eta: eta))
        try await eventually("all tasks are held") {
            let held = await ControlCommand.held(worker)
            return held.waiting.count == 1 && held.parked.count == 1
        }
    }
}
