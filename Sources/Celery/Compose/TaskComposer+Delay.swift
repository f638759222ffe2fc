internal import AMQP
internal import FoundationEssentials

extension TaskComposer {
    /// Leads a task with a countdown or an eta through the delay ladder, where quorum queues are in use
    /// (`celery.app.base.Celery.send_task`).
    ///
    /// Less than a second is left to the worker, where Celery fails. So is what goes to an exchange that the ladder does not
    /// lead to, and to an explicit exchange that no known queue has: Celery would send that to the default queue.
    ///
    /// - Returns: who delays; nil for nobody.
    /// - Throws: ``CeleryError/Code/invalidOption`` for a delay beyond the ladder's longest one.
    func delay(
        _ target: inout PublishTarget,
        of options: TaskOptions,
        queue: Queue,
        now: Date
    ) throws(CeleryError) -> ComposedTask.Delay? {
        guard options.countdown != nil || options.eta != nil, router.queues.usesQuorum || queue.isQuorum,
            let seconds = try secondsToWait(options, now: now)
        else { return nil }
        let exchange = target.exchange.isEmpty ? queue.exchange?.name ?? "" : target.exchange
        guard !queue.isBroadcast, DelayLadder.delays(exchangeType: type(ofExchange: exchange, queue)) else {
            return .worker(exchange: exchange)
        }
        target.routingKey = try DelayLadder.routingKey(seconds: seconds, key: target.routingKey)
        target.exchange = DelayLadder.entrance
        return .ladder(configuration.brokerNativeDelayedDeliveryQueueType)
    }

    /// The whole seconds until a task is due; nil for none.
    private func secondsToWait(_ options: TaskOptions, now: Date) throws(CeleryError) -> Int? {
        let seconds: Double
        if let countdown = options.countdown, countdown != .zero {
            seconds = countdown.inSeconds
        } else {
            seconds = options.eta?.date.timeIntervalSince(now) ?? 0
        }
        guard seconds >= 1 else { return nil }
        guard seconds < Double(DelayLadder.longestDelay + 1) else {
            throw CeleryError(
                .invalidOption,
                "countdown or eta is further away than the broker can delay a task: \(DelayLadder.longestDelay) seconds"
            )
        }
        return Int(seconds)
    }

    private func type(ofExchange name: String, _ queue: Queue) -> String {
        if name == DelayLadder.exit { return "topic" }
        if let own = queue.exchange, own.name == name { return own.type }
        return router.queues.type(ofExchange: name) ?? ""
    }
}
