internal import AMQP
internal import FoundationEssentials
internal import OrderedCollections

extension TaskComposer {
    /// Makes the message of a single task (`celery.app.base.send_task`, `celery.app.amqp.as_task_v2`).
    func composeTask(
        _ signature: Signature,
        prepending arguments: [JSONValue],
        options: TaskOptions,
        context: SendContext
    ) throws(CeleryError) -> ComposedTask {
        var options = options
        if !signature.options.isEmpty {
            options = options.merged(overStored: try TaskOptions(decoding: signature.options))
        }
        let own = signature.declared?.options ?? context.registered(signature.task)
        if let own { options = known(options, own: own) }
        let body = try body(signature.wire, Self.arguments(arguments, before: signature.wire), options)
        let decision = try router.route(signature.task, args: body.args, kwargs: body.kwargs, options: options)
        let headers = try headers(of: signature.task, body: body, options: decision.options, context: context)
        // A null that a known task's own options pass on keeps kombu from writing its default.
        let fallback: UInt8? = decision.keepsNulls && own != nil ? nil : context.inheritedPriority ?? 0
        return try finish(
            TaskMessage(
                headers: headers,
                body: body,
                replyTo: decision.options.replyTo ?? context.replyTo,
                priority: decision.options.priority ?? fallback,
                deliveryMode: deliveryMode(of: decision).rawValue,
                expiration: expiration(of: decision.options, now: context.now)
            ),
            decision: decision
        )
    }

    /// Adds a message's target to it.
    func finish(_ message: TaskMessage, decision: Router.Decision) throws(CeleryError) -> ComposedTask {
        let options = decision.options
        var message = message
        message.properties.messageID = options.properties.messageID
        message.properties.timestamp = options.properties.timestamp
        message.properties.type = options.properties.type
        message.properties.userID = options.properties.userID
        message.properties.appID = options.properties.appID
        let target = PublishTarget(decision)
        try Self.checkLengths(of: message, target)
        let (properties, body) = message.encoded()
        return ComposedTask(
            id: message.headers.id,
            task: message.headers.task,
            message: OutgoingMessage(
                exchange: target.exchange,
                routingKey: target.routingKey,
                mandatory: true,
                properties: properties,
                body: body
            ),
            queue: target.queue,
            ignoresResult: message.headers.ignoreResult ?? false,
            retryPolicy: options.retry ?? configuration.taskPublishRetry
                ? options.retryPolicy ?? configuration.taskPublishRetryPolicy : nil
        )
    }

    /// The options of a task that is more than a name: with its own options and the settings for tasks.
    private func known(_ options: TaskOptions, own: TaskOptions) -> TaskOptions {
        var options = options.merged(over: own)
        options.priority = options.priority ?? configuration.taskDefaultPriority
        options.ignoreResult = options.ignoreResult ?? configuration.taskIgnoreResult
        return options
    }

    private func body(
        _ wire: SignatureWire,
        _ args: [JSONValue],
        _ options: TaskOptions
    ) throws(CeleryError) -> TaskBody {
        TaskBody(
            args: args,
            kwargs: wire.kwargs,
            embed: Embed(
                callbacks: try Self.embedded(options.link),
                errbacks: try Self.embedded(options.linkError),
                chain: options.chain,
                chord: options.chord
            )
        )
    }

    private static func embedded(_ links: [Signature]) throws(CeleryError) -> [JSONValue]? {
        if links.isEmpty { return nil }
        if let error = links.lazy.compactMap(\.encodingError).first { throw error }
        return links.map(\.json)
    }

    private func headers(
        of task: String,
        body: TaskBody,
        options: TaskOptions,
        context: SendContext
    ) throws(CeleryError) -> TaskHeaders {
        let id = options.taskID ?? context.makeID()
        var headers = TaskHeaders(task: task, id: id)
        headers.shadow = options.shadow
        headers.eta = eta(of: options, now: context.now)
        headers.expires = expires(of: options, now: context.now)
        headers.group = options.groupID
        headers.groupIndex = options.groupIndex
        headers.retries = options.retries ?? 0
        headers.hardLimit = TimeLimit(seconds: options.timeLimit?.inSeconds)
        headers.softLimit = TimeLimit(seconds: options.softTimeLimit?.inSeconds)
        headers.rootID = options.rootID ?? context.rootID ?? id
        headers.parentID = options.parentID ?? context.parentID
        headers.argsrepr = options.argsrepr ?? argumentsText(body.args)
        headers.kwargsrepr = options.kwargsrepr ?? keywordsText(body.kwargs)
        headers.origin = options.origin ?? context.origin
        headers.ignoreResult = options.ignoreResult
        headers.replacedTaskNesting = options.replacedTaskNesting ?? 0
        headers.stampedHeaders = options.stampedHeaders
        if !options.stamps.isEmpty { headers.stamps = try FieldTable(json: options.stamps) }
        headers.custom = options.headers
        return headers
    }

    /// What logs and monitors show for positional arguments.
    func argumentsText(_ args: [JSONValue]) -> String {
        args.isEmpty ? "()" : PythonRepr.arguments(args, maxLevels: configuration.taskReprMaxLevels)
    }

    /// What logs and monitors show for keyword arguments.
    func keywordsText(_ kwargs: JSONObject) -> String {
        kwargs.isEmpty ? "{}" : PythonRepr.keywords(kwargs, maxLevels: configuration.taskReprMaxLevels)
    }

    private func deliveryMode(of decision: Router.Decision) -> DeliveryMode {
        decision.options.deliveryMode ?? decision.queue.deliveryMode ?? configuration.taskDefaultDeliveryMode
    }
}

extension TaskComposer {
    /// The longest text of a short string on AMQP's wire.
    private static let longestShortString = 255

    /// Refuses what AMQP cannot express, before anything is declared or sent for it.
    private static func checkLengths(of message: TaskMessage, _ target: PublishTarget) throws(CeleryError) {
        let properties = message.properties
        let texts: [(String, String?)] = [
            ("exchange", target.exchange), ("routing_key", target.routingKey),
            ("task_id", properties.correlationID), ("reply_to", properties.replyTo),
            ("message_id", properties.messageID), ("type", properties.type),
            ("user_id", properties.userID), ("app_id", properties.appID),
        ]
        for (option, text) in texts where (text?.utf8.count ?? 0) > longestShortString {
            throw CeleryError(.invalidOption, "\(option) is longer than \(longestShortString) bytes")
        }
        for header in message.headers.custom where header.name.utf8.count > longestShortString {
            throw CeleryError(.invalidOption, "a header's name is longer than \(longestShortString) bytes")
        }
    }
}
