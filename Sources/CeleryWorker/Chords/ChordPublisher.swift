import AMQP
import Celery
import CeleryProtocol

/// Publishes what follows a chord: its body with the results, or the failures and errbacks of a chord that has failed.
struct ChordPublisher: Sendable {
    /// What became of it.
    enum Outcome: Sendable {
        /// Everything is confirmed.
        case published
        /// It will never be taken.
        case refused(CeleryError)
        /// The queue belongs to another owner by now, or the worker ends.
        case left
    }

    /// How long to wait before a result is passed on again that the publisher has given up.
    private static let forwardPause = Duration.seconds(1)

    let sender: TaskSender
    let results: ConfirmPublisher
    /// The largest body that is published, in bytes.
    let maxBodySize: Int

    /// Publishes what follows, as often as it takes while the broker cannot be reached.
    func publish(_ ending: ChordEnding, in session: ChordSession, _ log: ChordLog) async -> Outcome {
        var backoff = Backoff()
        while !session.isOver {
            do throws(CeleryError) {
                switch ending.outcome {
                case .body(let results): try await sendBody(of: ending, results)
                case .failure(let failure): try await sendFailure(of: ending, failure, log)
                }
                return .published
            } catch  where error.code == .closed {
                return .left
            } catch  where error.isOutage {
                await Alarm.sleep(backoff.next())
            } catch {
                return .refused(error)
            }
        }
        return .left
    }

    /// Passes a result on to whoever waits for its task, as often as it takes while the broker cannot be reached.
    ///
    /// The closure is called when it is confirmed, or when nobody will ever get it; not when the queue is lost.
    func forward(
        _ part: ChordPart,
        to replyTo: String,
        in session: ChordSession,
        _ log: ChordLog,
        then done: @escaping @Sendable () -> Void
    ) {
        results.post(part.forwarded(to: replyTo)) { verdict in
            if case .failed(let error) = verdict, error.isRecoverable {
                Alarm.after(Self.forwardPause) {
                    if !session.isOver { forward(part, to: replyTo, in: session, log, then: done) }
                }
                return
            }
            log.forwarded(part.id, verdict)
            done()
        }
    }

    private func sendBody(of ending: ChordEnding, _ results: [JSONValue?]) async throws(CeleryError) {
        let composition = try sender.composer.composeChordBody(
            ending.manifest,
            results: results,
            parentID: ending.parentID,
            context: sender.chordContext
        )
        for task in composition.manifests + composition.tasks where task.message.body.count > maxBodySize {
            throw CeleryError(
                .messageTooLarge,
                "the message of the chord's body has \(task.message.body.count) bytes, more than publish_max_body_size"
                    + " (\(maxBodySize))"
            )
        }
        try await sender.send(composition)
    }

    /// Tells the callers first: an errback that cannot be sent must not keep the failure from them.
    private func sendFailure(
        of ending: ChordEnding,
        _ failure: ChordEnding.Failure,
        _ log: ChordLog
    ) async throws(CeleryError) {
        let composition = try sender.composer.composeChordError(
            ending.manifest,
            ChordFailure(message: failure.message, cause: failure.cause, traceback: failure.traceback),
            parentID: ending.parentID,
            context: sender.chordContext
        )
        var refusal: CeleryError?
        for result in composition.results {
            guard case .failed(let error) = await results.publish(result) else { continue }
            let failure = CeleryError(error, "the failure of a chord could not be published")
            guard !failure.isOutage else { throw failure }
            refusal = failure
        }
        let refused = try await sender.sendEach(composition.errbacks)
        for error in composition.refusedErrbacks + refused { log.errbackRefused(ending.manifest.groupID, error) }
        if let refusal { throw refusal }
    }
}
