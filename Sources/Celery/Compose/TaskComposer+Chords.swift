package import AMQP
internal import FoundationEssentials

/// Why a chord fails, as Celery's `ChordError` and its cause.
package struct ChordFailure: Sendable, Hashable {
    /// The `ChordError`, which becomes the result of the body.
    package var error: ExceptionInfo
    /// What the first failed task has raised: the result of the tasks of a body that is a group; nil for the same.
    package var cause: ExceptionInfo?
    /// The text of the traceback.
    package var traceback: String?

    package init(error: ExceptionInfo, cause: ExceptionInfo? = nil, traceback: String? = nil) {
        self.error = error
        self.cause = cause
        self.traceback = traceback
    }

    /// The `ChordError` with this message.
    package init(message: String, cause: ExceptionInfo? = nil, traceback: String? = nil) {
        let error = ExceptionInfo(type: "ChordError", module: "celery.exceptions", arguments: [.string(message)])
        self.init(error: error, cause: cause, traceback: traceback)
    }
}

/// What is published when a chord fails.
package struct ChordErrorComposition: Sendable {
    /// The failures of the body's tasks and of what follows them, each to its own reply queue.
    package var results: [OutgoingMessage] = []
    /// The errbacks, each with the id of the body's task that it belongs to; to be published after the results.
    package var errbacks: Composition = .none
    /// Why errbacks are missing: one error for each of those that cannot be sent.
    package var refusedErrbacks: [CeleryError] = []
}

extension TaskComposer {
    /// Makes the messages of a chord's body, when all of its header's results are there.
    ///
    /// - Parameters:
    ///   - manifest: the chord.
    ///   - results: one for each member, in their order; nil for a failed one that the policy leaves out.
    ///   - parentID: the header's task that finished last, which becomes the body's parent, as in Celery.
    ///   - context: who sends, and when; its parent and root are set here.
    package func composeChordBody(
        _ manifest: ChordManifest,
        results: [JSONValue?],
        parentID: String?,
        context: SendContext
    ) throws(CeleryError) -> Composition {
        try compose(
            CanvasNode(Signature(decoding: manifest.body)),
            CanvasRun.Call(args: [manifest.bodyArgument(results)]),
            context: context.completing(manifest, parentID: parentID)
        )
    }

    /// Makes what is published when a chord fails (`celery.backends.base.Backend.chord_error_from_stack`).
    ///
    /// A body that is a task or a chain fails with the `ChordError`, and its errbacks get its id. Of a body that is a
    /// group every member fails with the cause, and its errbacks and the group's get its id. What follows the body in a
    /// chain fails too, so that an enclosing chord hears of it. Unlike Celery, the first steps of a body that is a chain
    /// fail as well, and a body that is a chord fails by the id that its callers wait for.
    ///
    /// - Parameters:
    ///   - manifest: the chord.
    ///   - failure: why it fails.
    ///   - parentID: the header's task that finished last; nil where none did.
    ///   - context: who sends, and when; its parent and root are set here.
    /// - Throws: ``CeleryError`` where the body cannot be read. An errback that cannot be sent hides neither the results
    ///   nor the other errbacks: it is told in ``ChordErrorComposition/refusedErrbacks``.
    package func composeChordError(
        _ manifest: ChordManifest,
        _ failure: ChordFailure,
        parentID: String?,
        context: SendContext
    ) throws(CeleryError) -> ChordErrorComposition {
        let body = try CanvasNode(Signature(decoding: manifest.body))
        var composition = ChordErrorComposition()
        let exception = body.kind == .group ? failure.cause ?? failure.error : failure.error
        composition.results = body.unrunTasks.map {
            result(failing: $0, exception, failure.traceback, now: context.now)
        }
        composition.results += UnrunTask.tasks(of: body.options.list("chain")).map {
            result(failing: $0, failure.error, failure.traceback, now: context.now)
        }
        for (id, errbacks) in BodyErrbacks(body).calls {
            var headers = TaskHeaders(task: body.task, id: id)
            headers.rootID = manifest.rootID
            let context = context.completing(manifest, parentID: parentID)
            addErrbacks(errbacks, of: headers, to: &composition, context)
        }
        return composition
    }

    /// Adds the errbacks of one task: all in one group, as Celery does, or each alone where one of them is at fault.
    private func addErrbacks(
        _ errbacks: [JSONValue],
        of headers: TaskHeaders,
        to composition: inout ChordErrorComposition,
        _ context: SendContext
    ) {
        do throws(CeleryError) {
            composition.errbacks.add(try composeErrbacks(errbacks, after: headers, context: context))
        } catch {
            guard errbacks.count > 1 else { return composition.refusedErrbacks.append(error) }
            for errback in errbacks { addErrbacks([errback], of: headers, to: &composition, context) }
        }
    }

    /// The failure of a task that never runs, to its own reply queue.
    private func result(
        failing task: UnrunTask,
        _ exception: ExceptionInfo,
        _ traceback: String?,
        now: Date
    ) -> OutgoingMessage {
        let offset = configuration.timezone == .gmt ? 0 : configuration.timezone.secondsFromGMT(for: now)
        let message = ResultMessage(
            taskID: task.id,
            state: .failure,
            result: exception.json,
            traceback: traceback,
            dateDone: WireDate(now, offsetSeconds: offset).text,
            groupID: task.groupID,
            parentID: task.parentID
        )
        let isDurable = configuration.resultPersistent || ChordCollector(configuration).collects(task.replyTo)
        return OutgoingMessage(
            routingKey: task.replyTo,
            properties: message.properties(persistent: isDurable),
            body: message.encoded()
        )
    }
}

extension SendContext {
    /// The surroundings of what follows a chord's header.
    fileprivate func completing(_ manifest: ChordManifest, parentID: String?) -> SendContext {
        var context = self
        context.parentID = parentID
        context.rootID = manifest.rootID ?? parentID
        return context
    }
}
