import AMQPValues
import Celery
import CeleryProtocol

/// What a worker tells its child process.
enum WorkerFrame: Sendable {
    /// The settings, once, before anything else.
    case setup(ChildSetup)
    /// A task to run.
    case task(TaskOrder)
    /// The answer to a question of a running body.
    case answer(number: UInt64, Answer)
    /// The running body is to end early.
    case cancel(run: UInt64, Interruption.Reason)
    /// The child is to end.
    case stop

    /// A task, with the number of its run.
    struct TaskOrder: Sendable {
        let run: UInt64
        /// Where the message came from; its priority is in its properties.
        let redelivered: Bool
        /// The message by `MessagePacker`.
        let message: [UInt8]
    }

    /// What a worker answers.
    enum Answer: Sendable, Hashable {
        /// It is done.
        case done
        /// A task was sent: its id, and what the run has sent so far.
        case sent(id: String, children: [ResultTuple])
        /// It could not be sent.
        case failed(code: String, message: String)
    }

    private enum Kind: UInt8 {
        case setup = 65
        case task
        case answer
        case cancel
        case stop
    }
}

extension WorkerFrame {
    /// The frame's bytes.
    func encoded() -> [UInt8] {
        switch self {
        case .setup(let setup): FrameBuffer.frame(Kind.setup.rawValue) { setup.json.write(to: &$0) }
        case .task(let order):
            FrameBuffer.frame(Kind.task.rawValue) { bytes in
                bytes.reserveCapacity(order.message.count + 16)
                bytes.put(order.run)
                bytes.append(order.redelivered ? 1 : 0)
                bytes.append(contentsOf: order.message)
            }
        case .answer(let number, let answer):
            FrameBuffer.frame(Kind.answer.rawValue) { bytes in
                bytes.put(number)
                Self.json(answer).write(to: &bytes)
            }
        case .cancel(let run, let reason):
            FrameBuffer.frame(Kind.cancel.rawValue) { bytes in
                bytes.put(run)
                Self.json(reason).write(to: &bytes)
            }
        case .stop: FrameBuffer.frame(Kind.stop.rawValue) { _ in }
        }
    }

    /// Reads a frame.
    init(_ frame: FrameBuffer.Frame) throws(FrameBuffer.Damaged) {
        guard let kind = Kind(rawValue: frame.kind) else {
            throw FrameBuffer.Damaged(reason: "a frame of the unknown kind \(frame.kind)")
        }
        var reader = PayloadReader(frame.payload)
        switch kind {
        case .setup: self = .setup(try ChildSetup(PipeJSON.read(frame.payload)))
        case .task:
            let run = try reader.number()
            self = .task(TaskOrder(run: run, redelivered: try reader.byte() != 0, message: reader.rest))
        case .answer: self = .answer(number: try reader.number(), try Self.answer(PipeJSON.read(reader.rest)))
        case .cancel: self = .cancel(run: try reader.number(), try Self.reason(PipeJSON.read(reader.rest)))
        case .stop: self = .stop
        }
    }

    private static func json(_ answer: Answer) -> JSONValue {
        switch answer {
        case .done: ["done"]
        case .sent(let id, let children): ["sent", .string(id), .array(children.map(\.json))]
        case .failed(let code, let message): ["failed", .string(code), .string(message)]
        }
    }

    private static func answer(_ json: JSONValue) throws(FrameBuffer.Damaged) -> Answer {
        switch (json[0]?.stringValue, json[1]?.stringValue) {
        case ("done", _): return .done
        case ("sent", let id?):
            let children = (json[2]?.arrayValue ?? []).compactMap { try? ResultTuple(decoding: $0) }
            return .sent(id: id, children: children)
        case ("failed", let code?): return .failed(code: code, message: json[2]?.stringValue ?? "")
        default: throw FrameBuffer.Damaged(reason: "an answer cannot be read")
        }
    }

    private static func json(_ reason: Interruption.Reason) -> JSONValue {
        switch reason {
        case .softLimit: ["soft"]
        case .connectionLost: ["connection"]
        case .shutdown: ["shutdown"]
        case .revoked(let signal): ["revoked", .string(signal)]
        case .hardLimit: ["hard"]
        }
    }

    private static func reason(_ json: JSONValue) throws(FrameBuffer.Damaged) -> Interruption.Reason {
        switch json[0]?.stringValue {
        case "soft": return .softLimit
        case "connection": return .connectionLost
        case "shutdown": return .shutdown
        case "revoked": return .revoked(signal: json[1]?.stringValue ?? "")
        case "hard": return .hardLimit
        default: throw FrameBuffer.Damaged(reason: "the reason of a cancellation cannot be read")
        }
    }
}

extension WorkerFrame.TaskOrder {
    /// The order to run a request.
    init(run: UInt64, _ request: TaskRequest, _ body: TaskBody) {
        let envelope = request.envelope
        var properties = envelope.properties
        properties.headers = envelope.headers.encoded()
        properties.priority = request.info.priority
        var content = envelope.encodedBody
        if content == nil {
            // Of protocol 1: what was read goes on as protocol 2.
            content = body.encoded()
            properties.contentType = "application/json"
        }
        var packer = MessagePacker()
        let message = IncomingMessage(
            deliveryTag: 0,
            exchange: request.info.exchange,
            routingKey: request.info.routingKey,
            properties: properties,
            body: content ?? []
        )
        self.init(run: run, redelivered: request.info.redelivered, message: packer.pack(message))
    }
}
