/// Tasks that run one after the other, each with the result of the one before as its first argument.
public struct Chain<Output: Codable & Sendable>: Sendable {
    /// The steps in the order of running.
    public private(set) var steps: [Signature]
    /// Options of the whole chain.
    package private(set) var options: TaskOptions = TaskOptions()

    /// Makes a chain of steps.
    package init(steps: [Signature]) {
        self.steps = steps
    }

    /// Makes a chain of one call.
    public init(_ call: TaskCall<Output>) {
        steps = [call.signature]
    }

    /// The chain with these options: `taskID` names the last task, `link` belongs to it, `linkError` to all; everything
    /// else counts for the first task.
    public func with(_ options: TaskOptions) -> Chain {
        var changed = self
        changed.options = options.merged(over: self.options)
        return changed
    }

    /// The chain with a further step that takes the result so far as its first argument.
    ///
    /// - Parameters:
    ///   - task: the step's task; its first argument has the type of the result so far.
    ///   - extra: the step's further arguments.
    public func then<each Extra: Codable & Sendable, Next: Codable & Sendable>(
        _ task: TaskName<Output, repeat each Extra, Next>,
        _ extra: repeat each Extra
    ) -> Chain<Next> {
        var arguments = ArgumentEncoder()
        repeat arguments.append(each extra)
        let call = TaskCall<Next>(task: task.name, arguments: arguments, declared: task.declared)
        return Chain<Next>(steps: steps + [call.signature], options: options)
    }

    /// The chain with a further call that does not take the result so far (Celery's `.si`).
    public func then<Next>(_ call: TaskCall<Next>) -> Chain<Next> {
        Chain<Next>(steps: steps + [call.immutable().signature], options: options)
    }

    /// The chain with a further step that is known by name only; it takes the result so far as its first argument
    /// unless it is immutable.
    public func then(_ signature: Signature) -> Chain<JSONValue> {
        Chain<JSONValue>(steps: steps + [signature], options: options)
    }

    /// The chain with the steps of another one behind it, whose first step takes no result if it is immutable.
    public func then<Next>(_ chain: Chain<Next>) -> Chain<Next> {
        Chain<Next>(steps: steps + chain.steps, options: chain.options.merged(over: options))
    }

    /// The chain with a group behind it, each of whose members takes the result so far as its first argument unless it is
    /// immutable.
    public func then<Element>(_ group: Group<Element>) -> Chain<[Element]> {
        Chain<[Element]>(steps: steps + [group.signature], options: options)
    }

    /// The chain with a chord behind it, each of whose header's tasks takes the result so far as its first argument unless
    /// it is immutable.
    public func then<Next>(_ chord: Chord<Next>) -> Chain<Next> {
        Chain<Next>(steps: steps + [chord.signature], options: options)
    }

    private init(steps: [Signature], options: TaskOptions) {
        self.steps = steps
        self.options = options
    }
}

extension Chain: Workflow {
    /// The chain as one signature, which can be linked to a task or be a step of another chain.
    ///
    /// As Celery makes it of `chain(…)`: nested chains are spliced in, a group that a step follows is a chord with it, and
    /// what follows a chord belongs to its body.
    public var signature: Signature {
        let folded = foldedSteps
        if folded.count == 1, ["group", "chord"].contains(folded[0].subtaskType), options == TaskOptions() {
            return folded[0]
        }
        return Signature.chain(of: folded, options: options)
    }

    /// The steps as the signature has them; they are also what is sent.
    var foldedSteps: [Signature] { CanvasFolding.fold(steps) }

    /// The chain with a callback of its last task.
    public func link(_ callback: some Workflow) -> Chain {
        var options = options
        options.link.append(callback.signature)
        return Chain(steps: steps, options: options)
    }

    /// The chain with an errback of all its tasks.
    public func onError(_ errback: some Workflow) -> Chain {
        var options = options
        options.linkError.append(errback.signature)
        return Chain(steps: steps, options: options)
    }

    /// The chain with stamps on all its tasks.
    public func stamp(_ stamps: JSONObject, visitor: (any StampingVisitor)?, append: Bool) -> Chain {
        var links = TaskOptions()
        links.link = options.link
        links.linkError = options.linkError
        let stamped = Signature.chain(of: steps, options: links).stamp(stamps, visitor: visitor, append: append)
        guard stamped.encodingError == nil, let changed = try? TaskOptions(decoding: stamped.options) else {
            return Chain(steps: steps.map { $0.failing(stamped.encodingError) }, options: options)
        }
        var options = options
        options.link = changed.link
        options.linkError = changed.linkError
        return Chain(steps: stamped.memberSignatures, options: options)
    }
}

extension Chain where Output == JSONValue {
    /// Makes a chain of steps that are known by name only.
    public init(_ steps: [Signature]) {
        self.init(steps: steps)
    }
}

extension TaskCall {
    /// A chain of this call and a step that takes its result as the first argument.
    ///
    /// - Parameters:
    ///   - task: the step's task; its first argument has the type of this call's result.
    ///   - extra: the step's further arguments.
    public func then<each Extra: Codable & Sendable, Next: Codable & Sendable>(
        _ task: TaskName<Output, repeat each Extra, Next>,
        _ extra: repeat each Extra
    ) -> Chain<Next> {
        Chain(self).then(task, repeat each extra)
    }

    /// A chain of this call and one that does not take its result (Celery's `.si`).
    public func then<Next>(_ call: TaskCall<Next>) -> Chain<Next> {
        Chain(self).then(call)
    }

    /// A chain of this call and a step that is known by name only.
    public func then(_ signature: Signature) -> Chain<JSONValue> {
        Chain(self).then(signature)
    }

    /// A chain of this call and a group, each of whose members takes its result as the first argument unless it is immutable.
    public func then<Element>(_ group: Group<Element>) -> Chain<[Element]> {
        Chain(self).then(group)
    }

    /// A chain of this call and a chord, each of whose header's tasks takes its result as the first argument unless it is
    /// immutable.
    public func then<Next>(_ chord: Chord<Next>) -> Chain<Next> {
        Chain(self).then(chord)
    }
}
