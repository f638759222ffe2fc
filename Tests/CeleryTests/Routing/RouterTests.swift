import AMQP
import CeleryProtocol
import Testing

@testable import Celery

@Suite("Routing")
struct RouterTests {
    private func target(
        _ configuration: CeleryConfiguration = CeleryConfiguration(),
        _ task: String = "tasks.add",
        _ options: TaskOptions = TaskOptions()
    ) throws -> PublishTarget {
        let router = Router(configuration: configuration)
        var options = options
        let decision = try router.route(task, args: [1], kwargs: [:], options: &options)
        return PublishTarget(options, queue: decision.queue)
    }

    @Test func defaultQueueIsCompletedFromTheConfiguration() throws {
        var configuration = CeleryConfiguration()
        configuration.taskDefaultQueue = "main"
        configuration.taskDefaultQueueType = .quorum
        configuration.taskQueueMaxPriority = 5
        let target = try target(configuration)
        #expect(target.exchange == "")
        #expect(target.routingKey == "main")
        let queue = try #require(target.queue)
        #expect(queue.exchange == ExchangeDeclaration(name: "main"))
        #expect(queue.routingKey == "main")
        #expect(queue.declaration.arguments == ["x-queue-type": "quorum", "x-max-priority": 5])
    }

    @Test func listedQueuesTakeTheDefaultExchangeAndKey() throws {
        var configuration = CeleryConfiguration()
        configuration.taskDefaultExchange = "tasks"
        configuration.taskDefaultExchangeType = "topic"
        configuration.taskDefaultRoutingKey = "task.default"
        configuration.taskQueues = [
            "celery", Queue("own", exchange: ExchangeDeclaration(name: "own"), routingKey: "k"),
        ]
        #expect(try target(configuration).exchange == "tasks")
        #expect(try target(configuration).routingKey == "task.default")
        let own = try target(configuration, "t", TaskOptions(queue: "own"))
        #expect((own.exchange, own.routingKey) == ("", "own"))
        #expect(QueueTable(configuration: configuration).all.map(\.name) == ["celery", "own"])
    }

    @Test func missingQueues() throws {
        var configuration = CeleryConfiguration()
        configuration.taskCreateMissingQueueType = .quorum
        configuration.taskCreateMissingQueueExchangeType = "topic"
        let target = try target(configuration, "t", TaskOptions(queue: "new"))
        #expect((target.exchange, target.routingKey) == ("new", "new"))
        let queue = try #require(target.queue)
        #expect(queue.exchange == ExchangeDeclaration(name: "new", type: "topic"))
        #expect(queue.declaration.arguments == ["x-queue-type": "quorum"])
        configuration.taskCreateMissingQueues = false
        let error = #expect(throws: CeleryError.self) {
            try self.target(configuration, "t", TaskOptions(queue: "new"))
        }
        #expect(error?.code == .queueNotFound)
        #expect(error?.message.contains("'new'") == true)
    }

    @Test func exactNamesComeBeforePatternsAndPatternsInTheirOrder() throws {
        var configuration = CeleryConfiguration()
        configuration.taskRoutes = [
            .glob("tasks.*", "first"), .glob("tasks.a*", "second"), .exact("tasks.add", "exact"),
        ]
        #expect(try target(configuration).routingKey == "exact")
        #expect(try target(configuration, "tasks.all").routingKey == "first")
        #expect(try target(configuration, "other").routingKey == "celery")
    }

    @Test func functionsDivideTheRoutes() throws {
        var configuration = CeleryConfiguration()
        configuration.taskRoutes = [
            .glob("tasks.b*", "b"),
            .function { task, args, kwargs, options in
                task == "tasks.add" && args == [1] && kwargs.isEmpty && options.priority == 3 ? "from-function" : nil
            },
            .exact("tasks.add", "exact"),
        ]
        #expect(try target(configuration, "tasks.add", TaskOptions(priority: 3)).routingKey == "from-function")
        #expect(try target(configuration, "tasks.add").routingKey == "exact")
        #expect(try target(configuration, "tasks.b").routingKey == "b")
    }

    @Test func explicitOptionsWinAndTheRoutesOthersAreDefaults() throws {
        var configuration = CeleryConfiguration()
        configuration.taskRoutes = [
            .exact("tasks.add", Route(TaskOptions(queue: "routed", priority: 9, expires: .after(.seconds(5)))))
        ]
        let router = Router(configuration: configuration)
        var options = TaskOptions(queue: "mine", priority: 1)
        let decision = try router.route("tasks.add", args: [], kwargs: [:], options: &options)
        #expect(decision.queue.name == "mine")
        #expect(options.priority == 1)
        #expect(options.expires == .after(.seconds(5)))
        #expect(!decision.keepsNulls)
    }

    @Test func aRouteToAnExchangeDeclaresNothing() throws {
        var configuration = CeleryConfiguration()
        configuration.taskRoutes = [.exact("tasks.add", Route(exchange: "x", routingKey: "k"))]
        let target = try target(configuration)
        #expect((target.exchange, target.routingKey) == ("x", "k"))
        #expect(target.queue == nil)
    }

    @Test func anExchangeWithoutKeyFallsBackToTheDirectQueue() throws {
        let target = try target(CeleryConfiguration(), "t", TaskOptions(exchange: "x"))
        #expect((target.exchange, target.routingKey) == ("", "celery"))
    }

    @Test(arguments: [
        ("tasks.*", "tasks.add", true), ("tasks.*", "tasks", false), ("tasks.*", "tasks.", true), ("*", "", true),
        ("*.add", "a.b.add", true), ("?.add", "t.add", true), ("?.add", "tt.add", false), ("[ab]*", "beta", true),
        ("[!ab]*", "beta", false), ("[!ab]*", "gamma", true), ("[a-c]x", "bx", true), ("[a-c]x", "dx", false),
        ("[]]x", "]x", true), ("[", "[", true), ("[abc", "[abc", true), ("a*b*c", "axxbyyc", true),
        ("a*b*c", "axxbyy", false), ("Tasks.*", "tasks.add", false), ("exact", "exact", true), ("", "", true),
        ("", "a", false), ("*ü?", "grüß", true), ("[z-a]", "z", false), ("a[-x]", "a-", true), ("**a**", "bab", true),
    ])
    func globs(pattern: String, name: String, matches: Bool) {
        #expect(GlobPattern(pattern).matches(name) == matches)
    }

    @Test func globsAreQuickOnHostileInput() {
        let pattern = GlobPattern(String(repeating: "*a", count: 200) + "b")
        #expect(!pattern.matches(String(repeating: "a", count: 5_000)))
    }
}
