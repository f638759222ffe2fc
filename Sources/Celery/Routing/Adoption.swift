internal import AMQP

/// In which order a queue or an exchange is asked for and declared, and what the broker's answers mean.
///
/// It is asked for passively first. What is there is then compared by declaring it, unless that was done before; if it has
/// other arguments, or may not be declared, it is used as it is.
struct Adoption {
    /// What is to be done next.
    enum Step: Hashable {
        /// Declare passively: is it there?
        case ask
        /// Declare actively: make it, or compare it.
        case declare
        /// It can be used.
        case finish(Finding)
        /// It cannot be used.
        case fail(AMQPError)
    }

    /// How something is that can be used.
    enum Finding: Hashable {
        /// It is there; it was compared before.
        case known
        /// It is there or was made, as wanted.
        case equal
        /// It is there with other arguments, which the error tells.
        case different(AMQPError)
        /// It is there, and this user may not declare it.
        case forbidden(AMQPError)
    }

    private(set) var step = Step.ask
    private let note: TopologyMemory.Note?
    private var exists = false

    /// Begins with what is known from before.
    init(knowing note: TopologyMemory.Note? = nil) {
        self.note = note
    }

    /// The step's declaration was accepted.
    mutating func succeeded() {
        switch step {
        case .ask where note != nil: step = .finish(.known)
        case .ask:
            exists = true
            step = .declare
        case .declare: step = .finish(.equal)
        case .finish, .fail: break
        }
    }

    /// The step's declaration failed.
    mutating func failed(_ error: AMQPError) {
        let replyCode = error.code == .channelClosed ? error.replyCode : nil
        switch (step, replyCode) {
        case (.ask, 404), (.ask, 403):
            // What ended a connection before would end this one too.
            if case .refused(let refusal)? = note { step = .fail(refusal) } else { step = .declare }
        case (.declare, 406) where exists || error.isInequivalence:
            step = .finish(.different(error))
        case (.declare, 403) where exists:
            step = .finish(.forbidden(error))
        default:
            step = .fail(error)
        }
    }
}

extension AMQPError {
    /// Whether something of the name is there with other arguments, in RabbitMQ's words.
    ///
    /// Its 406 also stands for arguments that it does not take at all.
    fileprivate var isInequivalence: Bool { message.contains("inequivalent arg") }

    /// Whether the broker ended the connection over what was asked of it, such as an exchange type that it does not know
    /// (COMMAND_INVALID, NOT_IMPLEMENTED).
    var isHardRefusal: Bool { code == .connectionClosed && (replyCode == 503 || replyCode == 540) }
}
