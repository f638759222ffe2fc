internal import OrderedCollections

/// One task that runs another one for each list of arguments, one after the other in one process; it comes to the list of
/// results.
///
/// The worker that runs it has to have registered the inner task. Celery: `task.starmap`, `xstarmap`.
public struct Starmap<Element: Codable & Sendable>: Sendable {
    private let base: MappedSignature

    /// Makes a map of a task over the arguments of its calls.
    public init<each Argument: Codable & Sendable>(
        _ task: TaskName<repeat each Argument, Element>,
        _ calls: some Sequence<(repeat each Argument)>
    ) {
        let (arguments, error) = MappedSignature.arguments(calls)
        base = MappedSignature("celery.starmap", of: task.name, arguments, error: error)
    }

    private init(base: MappedSignature) { self.base = base }
}

extension Starmap where Element == JSONValue {
    /// Makes a map of a task that is known by name only over lists of arguments.
    public init(_ task: Signature, _ calls: [[JSONValue]]) {
        base = MappedSignature("celery.starmap", of: task, calls.map(JSONValue.array))
    }
}

extension Starmap: Workflow {
    /// The list of the results.
    public typealias Output = [Element]

    /// The map as one signature.
    public var signature: Signature { base.signature }

    /// The map with these options; they win over the ones it has.
    public func with(_ options: TaskOptions) -> Starmap { Starmap(base: base.changed { $0.with(options) }) }

    /// The map with a callback, which gets the list of results.
    public func link(_ callback: some Workflow) -> Starmap { Starmap(base: base.changed { $0.link(callback) }) }

    /// The map with an errback.
    public func onError(_ errback: some Workflow) -> Starmap { Starmap(base: base.changed { $0.onError(errback) }) }

    /// The map with stamps.
    public func stamp(_ stamps: JSONObject, visitor: (any StampingVisitor)?, append: Bool) -> Starmap {
        Starmap(base: base.changed { $0.stamp(stamps, visitor: visitor, append: append) })
    }
}
