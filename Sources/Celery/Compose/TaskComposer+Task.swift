internal import AMQP
internal import FoundationEssentials
internal import OrderedCollections

extension TaskComposer {
    /// Makes the message of a single task (`celery.app.base.send_task`, `celery.app.amqp.as_task_v2`).
    func composeTask(
        _ signature: Signature,
        prepending arguments: [JSONValue],
        options: consuming TaskOptions,
        context: SendContext
    ) throws(CeleryError) -> ComposedTask {
        if !signature.options.isEmpty { options.fill(fromStored: try TaskOptions(decoding: signature.options)) }
        let isKnown = try fillKnown(&options, signature, context)
        let body = try body(signature.wire, Self.arguments(arguments, before: signature.wire), options)
        let name = signature.routeName ?? signature.task
        let decision = try router.route(name, args: body.args, kwargs: body.kwargs, options: &options)
        // A null that a known task's own options pass on keeps kombu from writing its default.
        let fallback: UInt8? = decision.keepsNulls && isKnown ? nil : context.inheritedPriority ?? 0
        let mode = options.deliveryMode ?? decision.queue.deliveryMode ?? configuration.taskDefaultDeliveryMode
        return try finish(
            TaskMessage(
                headers: try headers(of: signature.task, body: body, options: options, context: context),
                body: body,
                replyTo: options.replyTo ?? context.replyTo,
                priority: options.priority ?? fallback,
                deliveryMode: mode.rawValue,
                expiration: isCollected(options.replyTo ?? context.replyTo, before: options.chain)
                    ? nil : expiration(of: options, now: context.now)
            ),
            options: options,
            queue: decision.queue,
            now: context.now
        )
    }

    /// Adds a message's target to it.
    func finish(
        _ message: consuming TaskMessage,
        options: TaskOptions,
        queue: Queue,
        now: Date
    ) throws(CeleryError) -> ComposedTask {
        message.properties.messageID = options.properties.messageID
        message.properties.timestamp = options.properties.timestamp
        message.properties.type = options.properties.type
        message.properties.userID = options.properties.userID
        message.properties.appID = options.properties.appID
        var target = PublishTarget(options, queue: queue)
        let delay = try delay(&target, of: options, queue: queue, now: now)
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
            delay: delay,
            ignoresResult: message.headers.ignoreResult ?? false,
            retryPolicy: options.retry ?? configuration.taskPublishRetry
                ? options.retryPolicy ?? configuration.taskPublishRetryPolicy : nil,
            publishTimeout: options.publishTimeout ?? configuration.publishTimeout
        )
    }

    /// Adds the own options and the settings for tasks, where the task is more than a name; answers whether it is.
    ///
    /// - Throws: ``CeleryError/Code/invalidOption`` where the task's own soft time limit is longer than its hard one
    ///   (`celery.app.task.Task.apply_async`).
    private func fillKnown(
        _ options: inout TaskOptions,
        _ signature: Signature,
        _ context: SendContext
    ) throws(CeleryError) -> Bool {
        if let declared = signature.declared {
            if let soft = declared.options.softTimeLimit, let hard = declared.options.timeLimit, soft > hard,
                hard > .zero
            {
                throw CeleryError(.invalidOption, "soft_time_limit must be less than or equal to time_limit")
            }
            if declared.hasOptions { options.fill(from: declared.options) }
        } else if let own = context.registered(signature.task) {
            options.fill(from: own)
        } else {
            return false
        }
        options.priority = options.priority ?? configuration.taskDefaultPriority
        options.ignoreResult = options.ignoreResult ?? configuration.taskIgnoreResult
        return true
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
}

extension TaskComposer {
    /// The longest text of a short string on AMQP's wire.
    private static let longestShortString = 255

    /// Refuses what AMQP cannot express, before anything is declared or sent for it.
    private static func checkLengths(of message: TaskMessage, _ target: PublishTarget) throws(CeleryError) {
        let properties = message.properties
        try check(target.exchange, "exchange")
        try check(target.routingKey, "routing_key")
        try check(properties.correlationID, "task_id")
        try check(properties.replyTo, "reply_to")
        try check(properties.messageID, "message_id")
        try check(properties.type, "type")
        try check(properties.userID, "user_id")
        try check(properties.appID, "app_id")
        for header in message.headers.custom { try check(header.name, "a header's name") }
    }

    private static func check(_ text: String?, _ option: StaticString) throws(CeleryError) {
        guard let text, text.utf8.count > longestShortString else { return }
        throw CeleryError(.invalidOption, "\(option) is longer than \(longestShortString) bytes")
    }
}
