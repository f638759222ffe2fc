import CeleryProtocol
import Logging

/// The tasks under `celery.…` that a worker has without being told.
///
/// Source: `celery.app.builtins`.
enum BuiltinTasks {
    static func register(in registry: inout TaskRegistry) {
        registry.registerUntyped("celery.accumulate") { _, args, kwargs in
            try accumulate(args, kwargs)
        }
        registry.registerUntyped("celery.backend_cleanup") { _, _, _ in
            // Reply queues expire by themselves: `rpc://` has nothing to clean up.
            .null
        }
        registry.registerUntyped("celery.map") { context, args, kwargs in
            try await MappedTask(context, function: "xmap", args, kwargs).run { [$0] }
        }
        registry.registerUntyped("celery.starmap") { context, args, kwargs in
            try await MappedTask(context, function: "xstarmap", args, kwargs).run(arguments: MappedTask.arguments)
        }
        registry.registerUntyped("celery.chunks") { context, args, kwargs in
            try await LegacyCanvas.chunks(context, args, kwargs)
        }
        registry.registerUntyped("celery.group") { context, args, kwargs in
            try await LegacyCanvas.group(context, args, kwargs)
        }
        registry.registerUntyped("celery.chord") { context, args, kwargs in
            try await LegacyCanvas.chord(context, args, kwargs)
        }
        registry.registerUntyped("celery.chain") { _, _, _ in
            throw TaskError(type: "NotImplementedError", "chain is not a real task")
        }
        // Late, so that what is refused is not acknowledged.
        registry.registerUntyped("celery.chord_unlock", options: .init(acks: .late, ignoreResult: true)) {
            context,
            args,
            _ in
            throw refusedUnlock(context, args)
        }
    }

    /// A backend of another kind looks after a chord by a task that polls it, which only workers of that backend can do.
    private static func refusedUnlock(_ context: TaskContext, _ args: [JSONValue]) -> Reject {
        let chord = args.first?.stringValue ?? "?"
        let reason = "the chord \(chord) belongs to a result backend that this worker does not have"
        context.logger.error("Refused celery.chord_unlock: \(reason.loggable)")
        return Reject(reason)
    }

    /// All arguments as a list, or the one at `index`, which counts from the end if it is negative.
    static func accumulate(_ args: [JSONValue], _ kwargs: JSONObject) throws(TaskError) -> JSONValue {
        switch kwargs["index"] {
        case nil, .null?:
            return .array(args)
        case .int(let index)?:
            let position = index < 0 ? index + args.count : index
            guard args.indices.contains(position) else {
                throw TaskError(type: "IndexError", "tuple index out of range")
            }
            return args[position]
        case let other?:
            throw TaskError(
                type: "TypeError",
                "tuple indices must be integers or slices, not \(other.pythonTypeName)"
            )
        }
    }
}
