/// What can be sent, and what it comes to: a task, or tasks that belong together.
///
/// Every workflow is a value that turns into one ``Signature``, in the form that Celery's canvas has.
public protocol Workflow<Output>: Sendable {
    /// What the workflow comes to.
    associatedtype Output: Codable & Sendable

    /// The workflow as one signature.
    var signature: Signature { get }

    /// The workflow with a callback that gets its result when it succeeds (Celery's `link`).
    ///
    /// Of a chain the last task gets it, of a chord the body, of a group the first task alone, and there without arguments.
    func link(_ callback: some Workflow) -> Self

    /// The workflow with an errback (Celery's `on_error`, `link_error`).
    ///
    /// Of a chain and of a group all tasks get it, of a chord the body.
    func onError(_ errback: some Workflow) -> Self

    /// The workflow with these stamps on all of its tasks, see ``Signature/stamp(_:visitor:append:)``.
    func stamp(_ stamps: JSONObject, visitor: (any StampingVisitor)?, append: Bool) -> Self
}

extension Workflow {
    /// The workflow with these stamps on all of its tasks, see ``Signature/stamp(_:visitor:append:)``.
    public func stamp(_ stamps: JSONObject) -> Self { stamp(stamps, visitor: nil, append: false) }

    /// The workflow with the stamps that a visitor gives, see ``Signature/stamp(_:visitor:append:)``.
    public func stamp(visitor: any StampingVisitor, append: Bool = false) -> Self {
        stamp([:], visitor: visitor, append: append)
    }
}

extension Signature: Workflow {
    /// The type of results that nothing is known of.
    public typealias Output = JSONValue

    /// The signature itself.
    public var signature: Signature { self }
}

extension TaskCall: Workflow {
    /// The call with a callback.
    public func link(_ callback: some Workflow) -> TaskCall { changed { $0.link(callback) } }

    /// The call with an errback.
    public func onError(_ errback: some Workflow) -> TaskCall { changed { $0.onError(errback) } }

    /// The call with stamps, and its links.
    public func stamp(_ stamps: JSONObject, visitor: (any StampingVisitor)?, append: Bool) -> TaskCall {
        changed { $0.stamp(stamps, visitor: visitor, append: append) }
    }

    private func changed(_ change: (Signature) -> Signature) -> TaskCall {
        TaskCall(change(signature))
    }
}
