internal import OrderedCollections

/// Calls of one task in parts, each of which is one task that runs its calls one after the other; it comes to the list of
/// the parts' lists of results.
///
/// Sent as a group of starmaps, so the workers have to have registered the inner task. Celery: `task.chunks`.
public struct Chunks<Element: Codable & Sendable>: Sendable {
    private let base: MappedSignature

    /// Makes chunks of calls.
    ///
    /// - Parameters:
    ///   - task: the task.
    ///   - calls: the arguments of its calls.
    ///   - size: how many calls make a part, at least 1.
    public init<each Argument: Codable & Sendable>(
        _ task: TaskName<repeat each Argument, Element>,
        _ calls: some Sequence<(repeat each Argument)>,
        of size: Int
    ) {
        let (arguments, error) = MappedSignature.arguments(calls)
        base = MappedSignature("celery.chunks", of: task.name, arguments, size: size, error: error)
    }

    private init(base: MappedSignature) { self.base = base }

    /// The chunks as the group that they are sent as.
    ///
    /// - Throws: ``CeleryError/Code/invalidSignature`` for a size below 1.
    public func group() throws(CeleryError) -> Group<[Element]> {
        let members = try signature.chunksGroup()?.memberSignatures ?? []
        let group = Group<[Element]>(members.map { TaskCall<[Element]>($0) })
        return group.with(try TaskOptions(decoding: signature.options))
    }
}

extension Chunks where Element == JSONValue {
    /// Makes chunks of calls of a task that is known by name only.
    public init(_ task: Signature, _ calls: [[JSONValue]], of size: Int) {
        base = MappedSignature("celery.chunks", of: task, calls.map(JSONValue.array), size: size)
    }
}

extension Chunks: Workflow {
    /// The list of the parts' lists of results.
    public typealias Output = [[Element]]

    /// The chunks as one signature.
    public var signature: Signature { base.signature }

    /// The chunks with these options; they win over the ones they have.
    public func with(_ options: TaskOptions) -> Chunks { Chunks(base: base.changed { $0.with(options) }) }

    /// The chunks with a callback, which a group cannot have: sending them fails.
    public func link(_ callback: some Workflow) -> Chunks { Chunks(base: base.changed { $0.link(callback) }) }

    /// The chunks with an errback, which a group cannot have: sending them fails.
    public func onError(_ errback: some Workflow) -> Chunks { Chunks(base: base.changed { $0.onError(errback) }) }

    /// The chunks with stamps on all parts.
    public func stamp(_ stamps: JSONObject, visitor: (any StampingVisitor)?, append: Bool) -> Chunks {
        Chunks(base: base.changed { $0.stamp(stamps, visitor: visitor, append: append) })
    }
}
