import AMQP
import CeleryProtocol
import FoundationEssentials

@testable import Celery

extension GoldenCase {
    /// Sends of single tasks.
    static let tasks: [GoldenCase] =
        [
            "task_args_and_kwargs", "task_argsrepr_truncated", "task_argsrepr_words", "task_control_chars",
            "task_kwargs",
            "task_large_multi_frame", "task_nan_infinity", "task_nested", "task_no_args", "task_none_args",
            "task_plain",
            "task_scalars", "task_unicode", "send_task_signature", "signature_immutable",
        ].map { .task($0) }
        // What Python shows for tuples and keys that are no text, or for arguments given as a list, is beyond JSON.
        + [
            "task_argsrepr_override", "task_extended_json", "task_int_keys", "task_tuple_set_repr", "send_task_by_name",
            "send_task_queue", "send_task_registered", "signature_in_args", "signature_group_in_args",
            "signature_chain_in_args", "signature_chord_in_args",
        ].map { name in
            GoldenCase(name) { capture, composer in
                var context = try capture.context()
                // `send_task` does not look at what is registered for `ignore_result`.
                if name.hasPrefix("send_task") { context.registered = { _ in nil } }
                let options = TaskOptions(
                    queue: name == "send_task_queue" ? "celery" : nil,
                    argsrepr: capture.headers.argsrepr,
                    kwargsrepr: capture.headers.kwargsrepr
                )
                return try composer.compose(capture.signature, options: options, context: context).tasks
            }
        }

    /// Sends with options.
    static let options: [GoldenCase] = [
        .task("task_countdown", sent: .beforeEta(30)) { _ in TaskOptions(countdown: .seconds(30)) },
        .task("task_countdown_float", sent: .beforeEta(1.5)) { _ in TaskOptions(countdown: .seconds(1.5)) },
        .task("task_countdown_zero") { _ in TaskOptions(countdown: .zero) },
        .task("task_custom_headers") { TaskOptions(headers: $0.headers.custom) },
        .task("task_eta_naive") { try eta($0) },
        .task("task_eta_no_microseconds") { try eta($0) },
        .task("task_eta_offset") { try eta($0) },
        .task("task_eta_utc") { try eta($0) },
        .task("task_expires_seconds", sent: .beforeExpiry(120)) { _ in
            TaskOptions(expires: .after(.seconds(120)))
        },
        .task("task_expires_float", sent: .beforeExpiry(0.75)) { _ in
            TaskOptions(expires: .after(.milliseconds(750)))
        },
        .task("task_expires_datetime", sent: .beforeExpiry(3_484_039.838)) { capture in
            TaskOptions(expires: .at(try WireDate(parsing: capture.headers.expires ?? "").date))
        },
        .task("task_explicit_ids") { _ in
            TaskOptions(taskID: "custom-id", rootID: "the-root", parentID: "the-parent")
        },
        .task("task_explicit_queue") { _ in TaskOptions(queue: "celery") },
        .task("task_extra_properties") { _ in
            TaskOptions(
                properties: MessageProperties(messageID: "mid", timestamp: 1_709_168_523, type: "ty", appID: "ap")
            )
        },
        .task("task_group_id") { _ in TaskOptions(groupID: "the-group", groupIndex: 4) },
        .task("task_ignore_result_true") { _ in TaskOptions(ignoreResult: true) },
        .task("task_ignore_result_false", sent: .beforeExpiry(3600)) { _ in
            TaskOptions(ignoreResult: false)
        },
        .task("task_with_class_defaults", sent: .beforeExpiry(3600)),
        .task("task_priority") { _ in TaskOptions(priority: 7) },
        .task("task_priority_zero") { _ in TaskOptions(priority: 0) },
        .task("task_reply_to") { _ in TaskOptions(replyTo: "elsewhere") },
        .task("task_shadow") { _ in TaskOptions(shadow: "pretty.name") },
        .task("task_time_limits") { _ in
            TaskOptions(timeLimit: .seconds(60), softTimeLimit: .milliseconds(45_500))
        },
        .task("task_transient") { _ in TaskOptions(deliveryMode: .transient) },
        .task("task_transient_name") { _ in try TaskOptions(decoding: ["delivery_mode": "transient"]) },
        .task("timezone_countdown", .init(timezone: 3600), sent: .beforeEta(30)) { _ in
            TaskOptions(countdown: .seconds(30), expires: .after(.seconds(60)))
        },
    ]

    /// Sends with links, and of signatures.
    static let links: [GoldenCase] = [
        .task("task_link") { _ in TaskOptions(link: [mul(4)]) },
        .task("task_link_error") { _ in TaskOptions(linkError: [errbackID]) },
        .task("task_link_and_link_error") { _ in
            TaskOptions(link: [mul(4)], linkError: [Signature("tasks.errback_full")])
        },
        .task("task_link_list") { _ in
            let last = signature(
                Signature("tasks.on_done", kwargs: ["extra": 1]),
                ["queue": "other", "priority": 3, "countdown": 5]
            )
            return TaskOptions(link: [mul(4), Signature("tasks.on_done", args: ["x"], immutable: true), last])
        },
        .task("link_chain") { _ in TaskOptions(link: [Chain([mul(2), mul(3)]).signature]) },
        .task("link_group") { _ in TaskOptions(link: [group([mul(2), mul(3)])]) },
        GoldenCase("signature_partial") { capture, composer in
            try composer.compose(add(2), prepending: [1], context: capture.context()).tasks
        },
        GoldenCase("signature_options") { capture, composer in
            let signature = signature(add(2, 3), ["priority": 2, "expires": 60, "headers": ["h": 1]])
            return try composer.compose(
                signature,
                options: TaskOptions(countdown: .seconds(10)),
                context: capture.context(.beforeEta(10))
            ).tasks
        },
    ]

    private static func eta(_ capture: Capture) throws -> TaskOptions {
        var options = TaskOptions()
        options.eta = try WireDate(parsing: capture.headers.eta ?? "")
        return options
    }
}

extension CeleryConfiguration {
    /// Celery's defaults at a fixed offset from UTC.
    init(timezone seconds: Int) {
        self.init()
        timezone = TimeZone(secondsFromGMT: seconds) ?? .gmt
    }
}
