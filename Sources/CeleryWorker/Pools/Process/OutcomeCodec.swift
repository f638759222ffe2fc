import Celery
import CeleryProtocol
import FoundationEssentials

/// How a child tells its worker how a body ended.
enum OutcomeCodec {
    private enum Tag: UInt8 {
        case success
        case failure
        case retry
        case ignore
        case reject
        case cancelled
    }

    /// Appends an outcome.
    ///
    /// A loss and a revoke are the worker's to find out.
    static func write(_ outcome: TaskOutcome, to bytes: inout [UInt8]) {
        switch outcome {
        case .success(let value):
            bytes.append(Tag.success.rawValue)
            value.write(to: &bytes)
        case .failure(let failure):
            bytes.append(Tag.failure.rawValue)
            json(failure).write(to: &bytes)
        case .retry(let retry):
            bytes.append(Tag.retry.rawValue)
            json(retry).write(to: &bytes)
        case .ignore: bytes.append(Tag.ignore.rawValue)
        case .reject(let reject):
            bytes.append(Tag.reject.rawValue)
            JSONValue.array([.string(reject.reason), .bool(reject.requeue)]).write(to: &bytes)
        case .cancelled, .revoked, .lost: bytes.append(Tag.cancelled.rawValue)
        }
    }

    /// Reads what ``write(_:to:)`` has written.
    static func read(_ reader: inout PayloadReader) throws(FrameBuffer.Damaged) -> TaskOutcome {
        guard let tag = Tag(rawValue: try reader.byte()) else { throw damaged }
        switch tag {
        case .success: return .success(try PipeJSON.read(reader.rest))
        case .failure: return .failure(try failure(PipeJSON.read(reader.rest)))
        case .retry: return .retry(try retrial(PipeJSON.read(reader.rest)))
        case .ignore: return .ignore
        case .cancelled: return .cancelled
        case .reject:
            let json = try PipeJSON.read(reader.rest)
            guard let reason = json[0]?.stringValue, let requeue = json[1]?.boolValue else { throw damaged }
            return .reject(Reject(reason, requeue: requeue))
        }
    }

    private static let damaged = FrameBuffer.Damaged(reason: "an outcome cannot be read")
}

extension OutcomeCodec {
    private static func json(_ failure: TaskOutcome.Failure) -> JSONValue {
        [
            failure.exception.json, JSONValue(text: failure.traceback), .bool(failure.isTimeout),
            .bool(failure.isExpected), .array(failure.calledErrbacks.map(JSONValue.int)),
        ]
    }

    private static func failure(_ json: JSONValue) throws(FrameBuffer.Damaged) -> TaskOutcome.Failure {
        guard let exception = json[0].flatMap({ try? ExceptionInfo(decoding: $0) }),
            let isTimeout = json[2]?.boolValue, let isExpected = json[3]?.boolValue
        else { throw damaged }
        return TaskOutcome.Failure(
            exception: exception,
            traceback: json[1]?.stringValue,
            isTimeout: isTimeout,
            isExpected: isExpected,
            calledErrbacks: json[4]?.arrayValue?.compactMap(\.intValue) ?? []
        )
    }

    private static func json(_ retry: TaskOutcome.Retrial) -> JSONValue {
        .object([
            "after": JSONValue(pipe: retry.after),
            "eta": retry.eta.map { .double($0.timeIntervalSinceReferenceDate) } ?? .null,
            "cause": retry.cause.map(json) ?? .null,
            "args": retry.args.map(JSONValue.array) ?? .null,
            "kwargs": retry.kwargs.map(JSONValue.object) ?? .null,
            "options": .object(retry.options.json),
        ])
    }

    private static func retrial(_ json: JSONValue) throws(FrameBuffer.Damaged) -> TaskOutcome.Retrial {
        guard let entries = json.objectValue, let cause = entries["cause"],
            let options = entries["options"]?.objectValue.flatMap({ try? TaskOptions(decoding: $0) })
        else { throw damaged }
        return TaskOutcome.Retrial(
            after: entries["after"]?.pipeDuration,
            eta: entries["eta"]?.doubleValue.map(Date.init(timeIntervalSinceReferenceDate:)),
            cause: cause.isNull ? nil : try failure(cause),
            args: entries["args"]?.arrayValue,
            kwargs: entries["kwargs"]?.objectValue,
            options: options
        )
    }
}
