import AMQP
import CeleryProtocol

@testable import Celery

extension GoldenCase {
    /// Sends of chains.
    static let chains: [GoldenCase] = [
        .chain("chain_single", [add(1, 2)]),
        .chain("chain_two", [add(1, 2), mul(3)]),
        .chain("chain_three", [add(1, 2), mul(3), mul(4)]),
        .chain("chain_immutable", [add(1, 2), mul(3, 4).immutable(), add(5, 6).immutable()]),
        .chain("chain_nested", [add(1, 2), Chain([mul(3), Chain([mul(4), add(5)]).signature]).signature]),
        .chain(
            "chain_options",
            sent: .beforeEta(20),
            options: TaskOptions(
                queue: "celery",
                priority: 3,
                countdown: .seconds(20),
                expires: .after(.seconds(600)),
                headers: ["h": "v"]
            ),
            [add(1, 2), mul(3)]
        ),
        .chain("chain_partial_args", prepending: [1], [add(2), mul(3)]),
        .chain(
            "chain_step_options",
            ids: { Array($0.ids.dropFirst()) },
            [
                add(1, 2), signature(mul(3), ["queue": "other", "countdown": 9, "priority": 1]),
                signature(mul(4), ["task_id": "last-id"]),
            ]
        ),
        .chain(
            "chain_task_id",
            ids: { Array($0.ids.dropFirst()) },
            options: TaskOptions(taskID: "id-of-last-task"),
            [add(1, 2), mul(3)]
        ),
        .chain(
            "chain_with_links",
            options: TaskOptions(link: [onDone], linkError: [errbackID]),
            [add(1, 2), mul(3)]
        ),
        .chain(
            "chain_ending_in_group",
            ids: { capture in
                let group = capture.chain.first
                let members = group?["kwargs"]?["tasks"]?.arrayValue ?? []
                return [group, members.first, members.last].compactMap { $0?["options"]?["task_id"]?.stringValue }
                    + [capture.headers.id]
            },
            [add(1, 2), group([mul(3), mul(4)])]
        ),
    ]
}
