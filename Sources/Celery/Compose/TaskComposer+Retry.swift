package import AMQP
internal import FoundationEssentials

/// What changes when a task is sent again by itself; the arguments of Celery's `Task.retry`.
package struct RetryRequest: Sendable {
    /// Other positional arguments; nil for the same.
    package var args: [JSONValue]?
    /// Other keyword arguments; nil for the same.
    package var kwargs: JSONObject?
    /// How long to wait.
    package var countdown: Duration?
    /// When to run again, instead of a countdown.
    package var eta: WireDate?
    /// Other queue; nil for where the message came from.
    package var queue: String?
    /// Other hard time limit; nil for the same.
    package var timeLimit: Duration?
    /// Other soft time limit; nil for the same.
    package var softTimeLimit: Duration?
    /// Other priority; nil for the same.
    package var priority: UInt8?
    /// Further headers; one that the message has is replaced.
    package var headers: FieldTable

    package init(
        args: [JSONValue]? = nil,
        kwargs: JSONObject? = nil,
        countdown: Duration? = nil,
        eta: WireDate? = nil,
        queue: String? = nil,
        timeLimit: Duration? = nil,
        softTimeLimit: Duration? = nil,
        priority: UInt8? = nil,
        headers: FieldTable = [:]
    ) {
        self.args = args
        self.kwargs = kwargs
        self.countdown = countdown
        self.eta = eta
        self.queue = queue
        self.timeLimit = timeLimit
        self.softTimeLimit = softTimeLimit
        self.priority = priority
        self.headers = headers
    }
}

extension TaskComposer {
    /// Makes the message with which a running task is tried again: the same id, one retry more
    /// (`celery.app.task.Task.signature_from_request`).
    ///
    /// What follows the task travels on unchanged.
    ///
    /// - Parameters:
    ///   - message: the running task's message.
    ///   - exchange: exchange that it was delivered through.
    ///   - routingKey: key that it was delivered with.
    ///   - request: what changes.
    ///   - context: who sends, and when; ``SendContext/within(_:)`` is applied here.
    package func retry(
        _ message: TaskMessage,
        exchange: String,
        routingKey: String,
        request: RetryRequest,
        context: SendContext
    ) throws(CeleryError) -> ComposedTask {
        let context = context.within(message.headers)
        let own = context.registered(message.headers.task)
        var options = TaskOptions()
        options.queue = request.queue
        // What left the ladder shows the exchange of the last level that held it; all levels lead to the same queues.
        let exchange = exchange.hasPrefix(DelayLadder.commonPrefix) ? DelayLadder.exit : exchange
        if request.queue == nil, exchange.isEmpty, !routingKey.isEmpty {
            options.queue = routingKey
        } else if request.queue == nil, exchange == DelayLadder.exit, let queue = DelayHandover.queue(ofKey: routingKey)
        {
            options.queue = queue
        } else if request.queue == nil {
            options.exchange = exchange
            options.routingKey = routingKey
        }
        options.countdown = request.countdown
        options.eta = request.eta
        options.priority = request.priority ?? message.priority ?? own.flatMap { priority(ofKnown: $0) }
        var body = message.body
        if let args = request.args { body.args = args }
        if let kwargs = request.kwargs { body.kwargs = kwargs }
        let decision = try router.route(message.headers.task, args: body.args, kwargs: body.kwargs, options: &options)
        var headers = retryHeaders(of: message.headers, own: own, request: request, context: context)
        headers.eta = eta(of: options, now: context.now)
        headers.argsrepr = argumentsText(body.args)
        headers.kwargsrepr = keywordsText(body.kwargs)
        return try finish(
            TaskMessage(
                headers: headers,
                body: body,
                replyTo: message.replyTo,
                priority: options.priority ?? (decision.keepsNulls && own != nil ? nil : 0),
                deliveryMode: (decision.queue.deliveryMode ?? configuration.taskDefaultDeliveryMode).rawValue,
                expiration: isCollected(message.replyTo, before: message.body.embed.chain)
                    ? nil : try expiration(ofHeader: headers.expires, context: context)
            ),
            options: options,
            queue: decision.queue,
            now: context.now
        )
    }

    private func priority(ofKnown own: TaskOptions) -> UInt8? { own.priority ?? configuration.taskDefaultPriority }

    private func retryHeaders(
        of received: TaskHeaders,
        own: TaskOptions?,
        request: RetryRequest,
        context: SendContext
    ) -> TaskHeaders {
        var headers = received
        headers.lang = "py"
        headers.retries = received.retries &+ 1
        headers.rootID = received.rootID ?? context.rootID
        headers.parentID = received.parentID ?? context.parentID
        headers.origin = received.origin ?? context.origin
        headers.ignoreResult =
            received.ignoreResult ?? own.map { $0.ignoreResult ?? configuration.taskIgnoreResult }
        if let limit = request.timeLimit { headers.hardLimit = TimeLimit(seconds: limit.inSeconds) }
        if let limit = request.softTimeLimit { headers.softLimit = TimeLimit(seconds: limit.inSeconds) }
        // The body goes out as plain JSON, whatever it came as.
        headers.compression = nil
        headers.custom = received.custom.withoutBrokerFields
        for header in request.headers { headers.custom[header.name] = header.value }
        return headers
    }

    private func expiration(ofHeader text: String?, context: SendContext) throws(CeleryError) -> String? {
        guard let text else { return nil }
        do {
            return Self.expiration(seconds: try WireDate(parsing: text).date.timeIntervalSince(context.now))
        } catch {
            throw CeleryError(.invalidOption, "the header expires is no date and time", underlying: error)
        }
    }
}
