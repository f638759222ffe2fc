internal import AMQP
internal import OrderedCollections

/// Tasks that run at the same time, and come to the list of their results.
///
/// ```swift
/// let squares = Group((1...10).map { Tasks.multiply($0, $0) })
/// let values = try await celery.send(squares).values(timeout: .seconds(60))
/// ```
public struct Group<Element: Codable & Sendable>: Sendable {
    /// The tasks in the order of their results; chains, groups and chords among them.
    public private(set) var members: [Signature]
    /// What becomes of the results where some of the tasks have failed.
    public private(set) var failurePolicy: GroupFailurePolicy = .fail
    /// Options of all members.
    package private(set) var options = TaskOptions()

    /// Makes a group of workflows of one type.
    public init<Members: Sequence>(_ members: Members)
    where Members.Element: Workflow, Members.Element.Output == Element {
        self.members = members.map { $0.signature }
    }

    /// Makes a group of workflows of different kinds that come to the same type.
    public init(_ members: any Workflow<Element>...) {
        self.members = members.map { $0.signature }
    }

    private init(_ members: [Signature], _ policy: GroupFailurePolicy, _ options: TaskOptions) {
        self.members = members
        failurePolicy = policy
        self.options = options
    }

    /// The group with these options: `taskID` is the group's id, everything else counts for each member.
    public func with(_ options: TaskOptions) -> Group {
        Group(members, failurePolicy, options.merged(over: self.options))
    }

    /// The group whose tasks take no further arguments from a task before it.
    public func immutable() -> Group {
        Group(members.map { $0.immutable() }, failurePolicy, options)
    }

    /// The group with this policy for failures.
    ///
    /// With `.continue` the results of failed tasks are null, which the type has to have: see ``continuingOnFailure()``.
    public func onFailure(_ policy: GroupFailurePolicy) -> Group {
        Group(members, policy, options)
    }

    /// The group in whose results nil stands for failed tasks.
    public func continuingOnFailure() -> Group<Element?> {
        Group<Element?>(members, .continue, options)
    }

    /// A chord of this group and a task that takes the list of its results as the first argument.
    ///
    /// - Parameters:
    ///   - task: the body's task; its first argument is the list of the results.
    ///   - extra: the body's further arguments.
    public func then<each Extra: Codable & Sendable, Next: Codable & Sendable>(
        _ task: TaskName<[Element], repeat each Extra, Next>,
        _ extra: repeat each Extra
    ) -> Chord<Next> {
        Chord(self, then: task, repeat each extra)
    }

    /// A chord of this group and a call that does not take its results.
    public func then<Next>(_ call: TaskCall<Next>) -> Chord<Next> { Chord(self, then: call) }

    /// A chord of this group and a chain, whose first step takes the list of results unless it is immutable.
    public func then<Next>(_ chain: Chain<Next>) -> Chord<Next> { Chord(self, then: chain) }

    /// A chord of this group and a task that is known by name only.
    public func then(_ signature: Signature) -> Chord<JSONValue> { Chord(self, then: signature) }
}

extension Group: Workflow {
    /// The list of the members' results.
    public typealias Output = [Element]

    /// The group as one signature.
    public var signature: Signature { Signature.group(of: members, options: options.with(failurePolicy)) }

    /// The signature whose options are those of the members alone.
    package var sentSignature: Signature { Signature.group(of: members, options: options) }

    /// The group with a callback of its first task, which gets no arguments.
    public func link(_ callback: some Workflow) -> Group {
        guard let first = members.first else { return self }
        return Group([first.link(callback.signature.immutable())] + members.dropFirst(), failurePolicy, options)
    }

    /// The group with an errback of all its tasks.
    public func onError(_ errback: some Workflow) -> Group {
        Group(members.map { $0.onError(errback) }, failurePolicy, options)
    }

    /// The group with stamps on all its tasks.
    public func stamp(_ stamps: JSONObject, visitor: (any StampingVisitor)?, append: Bool) -> Group {
        let stamped = Signature.group(of: members).stamp(stamps, visitor: visitor, append: append)
        return Group(stamped.memberSignatures, failurePolicy, options)
    }

    /// The members with the options of the group, as a chord has them, whose header has no options of its own.
    var headerMembers: [Signature] {
        var own = options
        own.taskID = nil
        return own == TaskOptions() ? members : members.map { $0.with(own) }
    }
}

extension TaskOptions {
    /// These options with a policy; Celery's own one is not written.
    func with(_ policy: GroupFailurePolicy) -> TaskOptions {
        guard policy != .fail else { return self }
        var options = self
        options.headers[GroupFailurePolicy.header] = .string(policy.rawValue)
        return options
    }
}

extension Signature {
    /// The policy for failures of a group's or chord's signature.
    package var failurePolicy: GroupFailurePolicy {
        let text = options["headers"]?[GroupFailurePolicy.header]?.stringValue
        return text.flatMap(GroupFailurePolicy.init) ?? .fail
    }
}
