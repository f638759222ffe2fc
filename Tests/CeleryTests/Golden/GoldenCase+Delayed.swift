import AMQP
import CeleryProtocol

@testable import Celery

extension GoldenCase {
    /// Tasks that the broker delays, in an application with a quorum queue on a topic exchange.
    static let delayed: [GoldenCase] = [
        .task("delayed_countdown_1", quorum, sent: .beforeEta(1)) { _ in TaskOptions(countdown: .seconds(1)) },
        .task("delayed_countdown_90", quorum, sent: .beforeEta(90)) { _ in TaskOptions(countdown: .seconds(90)) },
        .task("delayed_countdown_float", quorum, sent: .beforeEta(5.9)) { _ in
            TaskOptions(countdown: .milliseconds(5900))
        },
        .task("delayed_eta", quorum, sent: .beforeEta(44.99)) { capture in
            var options = TaskOptions()
            options.eta = try capture.headers.eta.map { try WireDate(parsing: $0) }
            return options
        },
        .task("delayed_max", quorum, sent: .beforeEta(Double(DelayLadder.longestDelay))) { _ in
            TaskOptions(countdown: .seconds(DelayLadder.longestDelay))
        },
        delayedRetry("delayed_retry", exchange: "qx", routingKey: "jobs"),
        delayedRetry(
            "delayed_retry_again",
            exchange: "celery_delayed_delivery",
            routingKey: "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.jobs"
        ),
        // An even number of seconds: the last level that held the task is not the lowest one.
        delayedRetry(
            "delayed_retry_again",
            exchange: "celery_delayed_0",
            routingKey: "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.jobs"
        ),
    ]

    static var quorum: CeleryConfiguration {
        var configuration = CeleryConfiguration()
        configuration.taskQueues = [
            Queue(
                "qq",
                exchange: ExchangeDeclaration(name: "qx", type: "topic"),
                routingKey: "jobs",
                arguments: ["x-queue-type": "quorum"]
            )
        ]
        configuration.taskDefaultQueue = "qq"
        return configuration
    }

    private static func delayedRetry(_ name: String, exchange: String, routingKey: String) -> GoldenCase {
        GoldenCase(name, quorum) { capture, composer in
            [
                try composer.retry(
                    capture.firstTry(),
                    exchange: exchange,
                    routingKey: routingKey,
                    request: RetryRequest(countdown: .seconds(600)),
                    context: capture.context(.beforeEta(600))
                )
            ]
        }
    }
}
