import AMQP
import CeleryProtocol

@testable import Celery

extension GoldenCase {
    /// Sends along routes.
    static let routes: [GoldenCase] = [
        .task("route_queue_by_name") { _ in TaskOptions(queue: "golden.custom") },
        .task("route_exchange_and_key") { _ in TaskOptions(exchange: "golden.direct", routingKey: "some.key") },
        .task("route_topic_default_key", topic),
        .task("route_topic_key", topic) { _ in TaskOptions(routingKey: "jobs.add") },
        .task("route_broadcast", broadcast),
        .task("route_broadcast_exchange", broadcast) { _ in TaskOptions(exchange: "bcast", routingKey: "") },
        .task("route_default_priority", priorities),
        .task("route_default_transient", transient),
        .task("route_glob_with_options", globs),
        .task("route_glob_overridden", globs) { _ in TaskOptions(priority: 1) },
    ]

    static var topic: CeleryConfiguration {
        var configuration = CeleryConfiguration()
        configuration.taskQueues = [
            Queue("topicq", exchange: ExchangeDeclaration(name: "topicx", type: "topic"), routingKey: "jobs.#")
        ]
        configuration.taskDefaultQueue = "topicq"
        return configuration
    }

    private static var broadcast: CeleryConfiguration {
        var configuration = CeleryConfiguration()
        configuration.taskQueues = [.broadcast("bcast")]
        configuration.taskRoutes = [.exact("tasks.add", "bcast")]
        return configuration
    }

    private static var priorities: CeleryConfiguration {
        var configuration = CeleryConfiguration()
        configuration.taskQueueMaxPriority = 10
        configuration.taskDefaultPriority = 5
        configuration.taskDefaultQueue = "prio"
        return configuration
    }

    private static var transient: CeleryConfiguration {
        var configuration = CeleryConfiguration()
        configuration.taskDefaultDeliveryMode = .transient
        return configuration
    }

    private static var globs: CeleryConfiguration {
        var configuration = CeleryConfiguration()
        configuration.taskRoutes = [
            .glob("tasks.a*", Route(queue: "golden.custom", priority: 9)), .function { _, _, _, _ in nil },
        ]
        return configuration
    }
}
