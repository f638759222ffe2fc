import CeleryProtocol

/// What a command of remote control comes to.
enum ControlAnswer: Sendable, Hashable {
    /// The value of the reply.
    case reply(JSONValue)
    /// No reply, even if one is wanted: Celery's `shutdown`.
    case silence

    /// A success, in the form of Celery's controlling commands.
    static func ok(_ value: JSONValue) -> ControlAnswer { .reply(["ok": value]) }

    /// A refusal.
    static func error(_ text: String) -> ControlAnswer { .reply(["error": .string(text)]) }

    /// An exception of the command, as Python's `repr` shows it.
    static func failure(_ error: any Error) -> ControlAnswer {
        .error(ExceptionInfo(mapping: error).pythonRepr)
    }
}
