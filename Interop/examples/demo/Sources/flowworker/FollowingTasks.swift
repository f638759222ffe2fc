import Celery
import CeleryWorker

/// Tasks that are replaced by others, or send others.
enum FollowingTasks {
    static func register(in tasks: inout TaskRegistry) {
        tasks.registerUntyped("flow.become") { context, _, kwargs in
            throw try await context.replace(with: Signature(decoding: kwargs["other"] ?? .null))
        }
        tasks.registerUntyped("flow.send") { context, args, kwargs in
            for call in kwargs["calls"]?.arrayValue ?? [] {
                try await context.send(Signature(decoding: call))
            }
            return .array(args)
        }
        tasks.registerUntyped("flow.join_in") { context, args, kwargs in
            try await context.addToChord(Signature(decoding: kwargs["other"] ?? .null))
            return args.first ?? .null
        }
        tasks.registerErrback("flow.on_error") { report, context in
            try await context.send(
                "journal.call",
                args: [.string(report.id), report.failure.map { .string(Self.repr($0)) } ?? .null],
                kwargs: report.kwargs.filter { $0.key != "queue" },
                options: TaskOptions(queue: report.kwargs["queue"]?.stringValue)
            )
        }
    }

    /// The exception as Python shows it.
    private static func repr(_ failure: TaskFailure) -> String { "\(failure.type)('\(failure.message)')" }
}
