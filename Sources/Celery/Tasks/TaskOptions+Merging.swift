internal import AMQP
internal import OrderedCollections

extension TaskOptions {
    /// Takes from others what these options leave out.
    package mutating func fill(from defaults: TaskOptions) {
        fillTarget(from: defaults)
        fillTimes(from: defaults)
        fillContent(from: defaults)
        fillCanvas(from: defaults)
    }

    /// These options, with what they leave out taken from others.
    package func merged(over defaults: TaskOptions) -> TaskOptions {
        var merged = self
        merged.fill(from: defaults)
        return merged
    }

    /// Makes these the options with which a signature is applied: they win over the stored ones, apart from the group and
    /// the stamps of the signature, which no caller may change (`Signature._merge`).
    package mutating func fill(fromStored stored: TaskOptions) {
        fill(from: stored)
        if let group = stored.groupID { groupID = group }
        if let names = stored.stampedHeaders {
            stampedHeaders = names
            for name in names {
                if let stamp = stored.stamps[name] { stamps[name] = stamp }
            }
        }
    }

    private mutating func fillTarget(from defaults: TaskOptions) {
        queue = queue ?? defaults.queue
        exchange = exchange ?? defaults.exchange
        routingKey = routingKey ?? defaults.routingKey
        priority = priority ?? defaults.priority
        deliveryMode = deliveryMode ?? defaults.deliveryMode
        replyTo = replyTo ?? defaults.replyTo
        retry = retry ?? defaults.retry
        retryPolicy = retryPolicy ?? defaults.retryPolicy
        publishTimeout = publishTimeout ?? defaults.publishTimeout
    }

    private mutating func fillTimes(from defaults: TaskOptions) {
        countdown = countdown ?? defaults.countdown
        eta = eta ?? defaults.eta
        expires = expires ?? defaults.expires
        timeLimit = timeLimit ?? defaults.timeLimit
        softTimeLimit = softTimeLimit ?? defaults.softTimeLimit
    }

    private mutating func fillContent(from defaults: TaskOptions) {
        taskID = taskID ?? defaults.taskID
        if headers.isEmpty { headers = defaults.headers }
        shadow = shadow ?? defaults.shadow
        argsrepr = argsrepr ?? defaults.argsrepr
        kwargsrepr = kwargsrepr ?? defaults.kwargsrepr
        properties.messageID = properties.messageID ?? defaults.properties.messageID
        properties.timestamp = properties.timestamp ?? defaults.properties.timestamp
        properties.type = properties.type ?? defaults.properties.type
        properties.userID = properties.userID ?? defaults.properties.userID
        properties.appID = properties.appID ?? defaults.properties.appID
        ignoreResult = ignoreResult ?? defaults.ignoreResult
    }

    private mutating func fillCanvas(from defaults: TaskOptions) {
        groupID = groupID ?? defaults.groupID
        groupIndex = groupIndex ?? defaults.groupIndex
        rootID = rootID ?? defaults.rootID
        parentID = parentID ?? defaults.parentID
        if link.isEmpty { link = defaults.link }
        if linkError.isEmpty { linkError = defaults.linkError }
        chain = chain ?? defaults.chain
        chord = chord ?? defaults.chord
        retries = retries ?? defaults.retries
        replacedTaskNesting = replacedTaskNesting ?? defaults.replacedTaskNesting
        origin = origin ?? defaults.origin
        stampedHeaders = stampedHeaders ?? defaults.stampedHeaders
        if stamps.isEmpty { stamps = defaults.stamps }
    }
}
