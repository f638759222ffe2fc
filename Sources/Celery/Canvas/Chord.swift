internal import AMQP
internal import OrderedCollections

/// A group, its header, and a task that runs with the list of its results when all of it has succeeded: its body.
///
/// ```swift
/// let chord = Chord((1...10).map { Tasks.add($0, $0) }, then: Tasks.sum)
/// let total = try await celery.send(chord).value(timeout: .seconds(60))
/// ```
public struct Chord<Output: Codable & Sendable>: Sendable {
    /// The tasks whose results the body gets, in this order.
    public private(set) var header: [Signature]
    /// What runs with the results.
    public private(set) var body: Signature
    /// What becomes of the body where some of the header's tasks have failed.
    public private(set) var failurePolicy: GroupFailurePolicy
    /// Options of the chord.
    package private(set) var options = TaskOptions()

    /// Makes a chord whose body takes the list of the header's results as its first argument.
    ///
    /// - Parameters:
    ///   - header: the workflows whose results are collected.
    ///   - task: the body's task.
    ///   - extra: the body's further arguments.
    public init<Members: Sequence, Element, each Extra: Codable & Sendable>(
        _ header: Members,
        then task: TaskName<[Element], repeat each Extra, Output>,
        _ extra: repeat each Extra
    ) where Members.Element: Workflow, Members.Element.Output == Element {
        self.init(Group<Element>(header), then: task, repeat each extra)
    }

    /// Makes a chord of a group and a task that takes the list of its results as the first argument.
    public init<Element, each Extra: Codable & Sendable>(
        _ header: Group<Element>,
        then task: TaskName<[Element], repeat each Extra, Output>,
        _ extra: repeat each Extra
    ) {
        var arguments = ArgumentEncoder()
        repeat arguments.append(each extra)
        let call = TaskCall<Output>(task: task.name, arguments: arguments, declared: task.declared)
        self.init(header, body: call.signature)
    }

    /// Makes a chord whose body is a call that does not take the results.
    public init<Element>(_ header: Group<Element>, then call: TaskCall<Output>) {
        self.init(header, body: call.immutable().signature)
    }

    /// Makes a chord whose body is a chain; its first step takes the list of results unless it is immutable.
    public init<Element>(_ header: Group<Element>, then chain: Chain<Output>) {
        self.init(header, body: chain.signature)
    }

    private init<Element>(_ header: Group<Element>, body: Signature) {
        self.init(header: header.headerMembers, body: body, policy: header.failurePolicy)
    }

    private init(
        header: [Signature],
        body: Signature,
        policy: GroupFailurePolicy,
        options: TaskOptions = TaskOptions()
    ) {
        self.header = header
        self.body = body
        failurePolicy = policy
        self.options = options
    }

    /// The chord with these options: `taskID` names the body's last task; a delay, the queue and so on count for the header.
    public func with(_ options: TaskOptions) -> Chord {
        Chord(header: header, body: body, policy: failurePolicy, options: options.merged(over: self.options))
    }

    /// The chord with this policy: whether and with what its body runs where tasks of the header have failed.
    ///
    /// With `.ignore` their results are left out, with `.continue` they are null.
    public func onFailure(_ policy: GroupFailurePolicy) -> Chord {
        Chord(header: header, body: body, policy: policy, options: options)
    }

    /// The chord with a further step behind its body, which takes the body's result as its first argument.
    public func then<each Extra: Codable & Sendable, Next: Codable & Sendable>(
        _ task: TaskName<Output, repeat each Extra, Next>,
        _ extra: repeat each Extra
    ) -> Chord<Next> {
        var arguments = ArgumentEncoder()
        repeat arguments.append(each extra)
        return following(TaskCall<Next>(task: task.name, arguments: arguments, declared: task.declared).signature)
    }

    /// The chord with a further call behind its body that does not take the body's result.
    public func then<Next>(_ call: TaskCall<Next>) -> Chord<Next> { following(call.immutable().signature) }

    /// The chord with a further step behind its body that is known by name only.
    public func then(_ signature: Signature) -> Chord<JSONValue> { following(signature) }

    /// The chord with a chain behind its body, whose first step takes the body's result unless it is immutable.
    public func then<Next>(_ chain: Chain<Next>) -> Chord<Next> { following(chain.signature) }

    private func following<Next>(_ step: Signature) -> Chord<Next> {
        let steps = CanvasFolding.fold([body, step])
        return Chord<Next>(
            header: header,
            body: steps.count == 1 ? steps[0] : Signature.chain(of: steps),
            policy: failurePolicy,
            options: options
        )
    }
}

extension Chord where Output == JSONValue {
    /// Makes a chord of a group and a body that is known by name only; the body gets the list of results as its first
    /// argument unless it is immutable.
    public init<Element>(_ header: Group<Element>, then body: Signature) {
        self.init(header, body: body)
    }

    /// Makes a chord of tasks and a body that are known by name only.
    public init(_ header: [Signature], then body: Signature) {
        self.init(header: header, body: body, policy: .fail)
    }
}

extension Chord: Workflow {
    /// The chord as one signature.
    public var signature: Signature {
        Signature.chord(of: header, body: body, options: options.with(failurePolicy))
    }

    /// The chord with a callback of its body.
    public func link(_ callback: some Workflow) -> Chord {
        Chord(header: header, body: body.link(callback), policy: failurePolicy, options: options)
    }

    /// The chord with an errback of its body.
    public func onError(_ errback: some Workflow) -> Chord { onError(errback, inHeader: false) }

    /// The chord with an errback of its body, and of its header's tasks if wanted.
    ///
    /// - Parameters:
    ///   - errback: what is called when the chord has failed.
    ///   - inHeader: whether each failed task of the header calls it, too, without arguments; Celery's setting
    ///     `task_allow_error_cb_on_chord_header`.
    public func onError(_ errback: some Workflow, inHeader: Bool) -> Chord {
        let linked = Signature.chord(of: header, body: body).addingErrback(errback.signature, inChordHeaders: inHeader)
        return Chord(
            header: linked.memberSignatures,
            body: linked.bodySignature ?? body,
            policy: failurePolicy,
            options: options
        )
    }

    /// The chord with stamps on the tasks of its header, and by a visitor on its body.
    public func stamp(_ stamps: JSONObject, visitor: (any StampingVisitor)?, append: Bool) -> Chord {
        let stamped = Signature.chord(of: header, body: body).stamp(stamps, visitor: visitor, append: append)
        return Chord(
            header: stamped.memberSignatures,
            body: stamped.bodySignature ?? body,
            policy: failurePolicy,
            options: options
        )
    }
}
