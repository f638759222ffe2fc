import CeleryProtocol

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
