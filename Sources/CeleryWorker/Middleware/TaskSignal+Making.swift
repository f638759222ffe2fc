import CeleryProtocol

extension TaskSignal.Received {
    init(_ request: TaskRequest) {
        self.init(headers: request.envelope.headers, deliveryInfo: request.info)
    }
}

extension TaskSignal.Failure {
    init(_ invocation: Invocation, _ failure: TaskOutcome.Failure) {
        self.init(
            headers: invocation.envelope.headers,
            args: invocation.body.args,
            kwargs: invocation.body.kwargs,
            deliveryInfo: invocation.info,
            exception: failure.exception,
            traceback: failure.traceback
        )
    }
}

extension TaskSignal.Retry {
    init(_ invocation: Invocation, reason: String, _ exception: ExceptionInfo?) {
        self.init(
            headers: invocation.envelope.headers,
            deliveryInfo: invocation.info,
            reason: reason,
            exception: exception
        )
    }
}

extension TaskSignal.Revoked {
    init(_ request: TaskRequest, signal: String?, isExpired: Bool) {
        self.init(headers: request.envelope.headers, deliveryInfo: request.info, signal: signal, isExpired: isExpired)
    }
}

extension TaskSignal.Postrun {
    init(_ context: TaskContext, _ outcome: TaskOutcome) {
        self.context = context
        (state, result) =
            switch outcome {
            case .success(let value): (.success, value)
            case .failure(let failure): (.failure, failure.exception.json)
            case .retry(let retry): (.retry, retry.cause?.exception.json ?? .null)
            case .ignore: (.ignored, .null)
            case .reject: (.rejected, .null)
            case .cancelled: (.retry, .null)
            case .revoked: (.revoked, .null)
            case .lost: (.failure, .null)
            }
    }
}
