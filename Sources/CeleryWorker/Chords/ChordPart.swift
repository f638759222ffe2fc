import AMQP
import CeleryProtocol

/// A result that has come to a collector queue.
struct ChordPart: Sendable {
    /// What it says of its task.
    enum State: Sendable, Hashable {
        /// The task goes on: it has started, is tried again, or tells of its progress.
        case interim
        /// The task has returned a value.
        case success(JSONValue)
        /// The task has failed, or was revoked.
        case failure(ExceptionInfo)
    }

    /// The task's id.
    let id: String
    let state: State
    /// The message, which goes on to the task's caller as it is.
    let message: IncomingMessage

    /// Its delivery.
    var tag: UInt64 { message.deliveryTag }
    /// What it costs to keep it.
    var bytes: Int { message.body.count }

    init(id: String, state: State, message: IncomingMessage) {
        self.id = id
        self.state = state
        self.message = message
    }

    /// Reads a result.
    ///
    /// One that cannot be read, such as a pickle, counts as the failure of its task, which then has to be named by the
    /// message's correlation id.
    ///
    /// - Throws: ``ProtocolError`` where it is not even known whose result it is.
    init(_ message: IncomingMessage, accept: AcceptedContent) throws(ProtocolError) {
        do throws(ProtocolError) {
            let result = try ResultMessage.decode(properties: message.properties, body: message.body, accept: accept)
            self.init(id: result.taskID, state: State(result), message: message)
        } catch {
            guard let id = message.properties.correlationID else { throw error }
            self.init(id: id, state: .failure(ExceptionInfo(error)), message: message)
        }
    }

    /// The message on its way to whoever waits for the task.
    func forwarded(to replyTo: String) -> OutgoingMessage {
        OutgoingMessage(routingKey: replyTo, properties: message.properties, body: message.body)
    }
}

extension ChordPart.State {
    fileprivate init(_ result: ResultMessage) {
        guard result.state.isReady else {
            self = .interim
            return
        }
        guard result.state != .success else {
            self = .success(result.result)
            return
        }
        // What has failed without an exception that can be read has failed all the same.
        self = .failure(result.exception ?? ExceptionInfo(type: "Exception", module: "builtins"))
    }
}
