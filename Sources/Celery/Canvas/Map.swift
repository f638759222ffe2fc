internal import OrderedCollections

/// One task that runs another one for each element, one after the other in one process; it comes to the list of results.
///
/// The worker that runs it has to have registered the inner task. Celery: `task.map`, `xmap`.
public struct Map<Element: Codable & Sendable>: Sendable {
    private let base: MappedSignature

    /// Makes a map of a task with one argument over elements.
    public init<Argument: Codable & Sendable>(
        _ task: TaskName<Argument, Element>,
        _ elements: some Sequence<Argument>
    ) {
        var arguments = ArgumentEncoder()
        for element in elements { arguments.append(element) }
        base = MappedSignature("celery.map", of: task.name, arguments.values, error: arguments.error)
    }

    private init(base: MappedSignature) { self.base = base }
}

extension Map where Element == JSONValue {
    /// Makes a map of a task that is known by name only.
    public init(_ task: Signature, _ elements: [JSONValue]) {
        base = MappedSignature("celery.map", of: task, elements)
    }
}

extension Map: Workflow {
    /// The list of the results.
    public typealias Output = [Element]

    /// The map as one signature.
    public var signature: Signature { base.signature }

    /// The map with these options; they win over the ones it has.
    public func with(_ options: TaskOptions) -> Map { Map(base: base.changed { $0.with(options) }) }

    /// The map with a callback, which gets the list of results.
    public func link(_ callback: some Workflow) -> Map { Map(base: base.changed { $0.link(callback) }) }

    /// The map with an errback.
    public func onError(_ errback: some Workflow) -> Map { Map(base: base.changed { $0.onError(errback) }) }

    /// The map with stamps.
    public func stamp(_ stamps: JSONObject, visitor: (any StampingVisitor)?, append: Bool) -> Map {
        Map(base: base.changed { $0.stamp(stamps, visitor: visitor, append: append) })
    }
}
