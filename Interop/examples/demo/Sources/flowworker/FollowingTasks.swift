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
    }
}
