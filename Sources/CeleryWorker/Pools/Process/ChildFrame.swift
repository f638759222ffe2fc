import Celery
import CeleryProtocol

/// What a child process tells its worker.
enum ChildFrame: Sendable {
    /// It is ready for tasks.
    case up(version: UInt64)
    /// The body of a run begins.
    case accepted(run: UInt64)
    /// The body of a run has ended.
    case result(run: UInt64, TaskOutcome)
    /// A running body wants something of its worker; the answer carries the same number.
    case question(run: UInt64, number: UInt64, Question)

    /// What a running body may want.
    enum Question: Sendable {
        /// Tell the caller of a state on the way.
        case state(TaskState, meta: JSONValue)
        /// Send a task as a child of the run.
        case send(Signature, TaskOptions)
        /// Send a signature in the place of the run's task.
        case replace(Signature)
        /// What the worker cannot read, and why.
        case unreadable(String)
    }

    /// Changes with every change of what goes over the pipe: both ends have to be of the same build.
    static let version: UInt64 = 2

    private enum Kind: UInt8 {
        case up = 1
        case accepted
        case result
        case state
        case send
        case replace
    }
}

extension ChildFrame {
    /// The frame's bytes.
    func encoded() -> [UInt8] {
        switch self {
        case .up(let version):
            return FrameBuffer.frame(Kind.up.rawValue) { $0.put(version) }
        case .accepted(let run):
            return FrameBuffer.frame(Kind.accepted.rawValue) { $0.put(run) }
        case .result(let run, let outcome):
            return FrameBuffer.frame(Kind.result.rawValue) { bytes in
                bytes.put(run)
                OutcomeCodec.write(outcome, to: &bytes)
            }
        case .question(let run, let number, .state(let state, let meta)):
            return Self.question(.state, run, number, [.string(state.name), meta])
        case .question(let run, let number, .send(let signature, let options)):
            return Self.question(.send, run, number, SendOrder.json(signature, options))
        case .question(let run, let number, .replace(let signature)):
            return Self.question(.replace, run, number, SendOrder.json(signature, TaskOptions()))
        case .question(let run, let number, .unreadable):
            // Nobody asks so; what is written comes back as unreadable.
            return Self.question(.state, run, number, .null)
        }
    }

    private static func question(_ kind: Kind, _ run: UInt64, _ number: UInt64, _ json: JSONValue) -> [UInt8] {
        FrameBuffer.frame(kind.rawValue) { bytes in
            bytes.put(run)
            bytes.put(number)
            json.write(to: &bytes)
        }
    }

    /// Reads a frame.
    init(_ frame: FrameBuffer.Frame) throws(FrameBuffer.Damaged) {
        guard let kind = Kind(rawValue: frame.kind) else {
            throw FrameBuffer.Damaged(reason: "a frame of the unknown kind \(frame.kind)")
        }
        var reader = PayloadReader(frame.payload)
        let first = try reader.number()
        switch kind {
        case .up: self = .up(version: first)
        case .accepted: self = .accepted(run: first)
        case .result: self = .result(run: first, try Self.outcome(&reader))
        case .state, .send, .replace:
            let number = try reader.number()
            self = .question(run: first, number: number, Self.question(kind, reader.rest))
        }
    }

    /// What a body asks for; what no reader accepts fails that call, and not the child.
    private static func question(_ kind: Kind, _ bytes: [UInt8]) -> Question {
        do throws(FrameBuffer.Damaged) {
            let json = try PipeJSON.read(bytes)
            switch kind {
            case .state:
                guard let name = json[0]?.stringValue, let meta = json[1] else {
                    throw FrameBuffer.Damaged(reason: "a state cannot be read")
                }
                return .state(TaskState(name: name), meta: meta)
            case .replace: return .replace(try SendOrder.read(json).0)
            default:
                let (signature, options) = try SendOrder.read(json)
                return .send(signature, options)
            }
        } catch {
            return .unreadable(error.reason)
        }
    }

    /// A value that is no JSON for a reader fails its task, as it would fail its caller.
    private static func outcome(_ reader: inout PayloadReader) throws(FrameBuffer.Damaged) -> TaskOutcome {
        do throws(FrameBuffer.Damaged) {
            return try OutcomeCodec.read(&reader)
        } catch {
            let exception = ExceptionInfo(
                type: "EncodeError",
                module: "kombu.exceptions",
                arguments: [.string("the outcome could not be passed on: \(error.reason)")]
            )
            return .failure(TaskOutcome.Failure(exception: exception, traceback: nil))
        }
    }
}

/// A task that a body wants to send, as it goes over the pipe.
enum SendOrder {
    static func json(_ signature: Signature, _ options: TaskOptions) -> JSONValue {
        .object([
            "signature": signature.wire.json,
            "options": .object(options.json),
            // What a typed name says counts less than what the signature stores, and stays apart from it.
            "declared": signature.declared.map { .object($0.options.json) } ?? .null,
            "publish_timeout": JSONValue(pipe: options.publishTimeout),
        ])
    }

    static func read(_ json: JSONValue) throws(FrameBuffer.Damaged) -> (Signature, TaskOptions) {
        do {
            var signature = try Signature(decoding: json["signature"] ?? .null)
            if let declared = json["declared"]?.objectValue {
                signature.declared = DeclaredTask(options: try TaskOptions(decoding: declared))
            }
            var options = try TaskOptions(decoding: json["options"]?.objectValue ?? [:])
            options.publishTimeout = json["publish_timeout"]?.pipeDuration
            return (signature, options)
        } catch {
            throw FrameBuffer.Damaged(reason: "a task to send cannot be read: \(error)")
        }
    }
}
