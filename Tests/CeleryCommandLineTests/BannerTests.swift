import Testing

@testable import CeleryCommandLine

@Suite struct BannerTests {
    private let banner = Banner(
        node: "w1@box",
        version: "swcelery 0.1.0",
        platform: "Linux-6.1-x86_64",
        time: "2026-01-31 13:05:09",
        application: "ImageWorker",
        transport: "amqp://guest:**@localhost:5672//",
        results: "rpc://",
        concurrency: 8,
        pool: "tasks",
        queues: [
            .init(name: "low-priority", exchange: "low-priority", exchangeType: "direct", routingKey: "low-priority"),
            .init(name: "celery", exchange: "celery", exchangeType: "direct", routingKey: "celery"),
        ],
        tasks: ["proj.mul", "proj.add"]
    )

    @Test func showsWhatCelerysBannerShows() {
        #expect(
            banner.text == """

                w1@box swcelery 0.1.0

                Linux-6.1-x86_64 2026-01-31 13:05:09

                [config]
                .> app:         ImageWorker
                .> transport:   amqp://guest:**@localhost:5672//
                .> results:     rpc://
                .> concurrency: 8 (tasks)
                .> task events: OFF

                [queues]
                .> celery           exchange=celery(direct) key=celery
                .> low-priority     exchange=low-priority(direct) key=low-priority

                [tasks]
                  . proj.add
                  . proj.mul

                """
        )
    }

    @Test func theListOfTasksCanBeLeftOut() {
        var banner = banner
        banner.tasks = nil
        #expect(!banner.text.contains("[tasks]"))
    }

    @Test func thePlatformAndTheTimeAreKnown() {
        #expect(Banner.currentPlatform().split(separator: "-").count >= 3)
        #expect(Banner.currentTime().wholeMatch(of: /\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/) != nil)
    }
}
