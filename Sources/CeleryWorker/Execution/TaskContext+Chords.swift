public import Celery

extension TaskContext {
    /// Sends a task that joins the chord which this task is a member of: the body waits for its result, too, which stands
    /// behind those of the other members.
    ///
    /// A chain, or a chord, with one result can join as well. The task's id comes from this task's, so that this task may
    /// run twice. Celery: `Task.add_to_chord`.
    ///
    /// - Returns: the id of the task whose result counts.
    /// - Throws: ``CeleryError``: `.invalidOption` where this task is no member of a chord over AMQP, `.invalidSignature` for
    ///   a group, and what a send throws.
    @discardableResult
    public func addToChord(_ signature: Signature) async throws(CeleryError) -> String {
        var joining = signature.embedded
        joining.wire.options[TaskComposer.joinsChord] = true
        return try await host.send(joining, options: TaskOptions())
    }

    /// Sends a task that joins the chord which this task is a member of; see ``addToChord(_:)-(Signature)``.
    @discardableResult
    public func addToChord<Output>(_ call: TaskCall<Output>) async throws(CeleryError) -> String {
        try await addToChord(call.signature)
    }
}
