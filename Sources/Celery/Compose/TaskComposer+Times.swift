internal import FoundationEssentials

extension TaskComposer {
    /// The header `eta`: a countdown, unless it is zero, wins over an `eta`.
    func eta(of options: TaskOptions, now: Date) -> String? {
        guard let countdown = options.countdown, countdown != .zero else { return options.eta?.text }
        return time(now.addingTimeInterval(countdown.inSeconds)).text
    }

    /// The header `expires`.
    func expires(of options: TaskOptions, now: Date) -> String? {
        switch options.expires?.moment {
        case .after(let duration): time(now.addingTimeInterval(duration.inSeconds)).text
        case .at(let date): date.text
        case nil: nil
        }
    }

    /// The property `expiration`: what is left of `expires` in milliseconds; 0 where it has passed.
    func expiration(of options: TaskOptions, now: Date) -> String? {
        switch options.expires?.moment {
        case .after(let duration): Self.expiration(seconds: duration.inSeconds)
        case .at(let date): Self.expiration(seconds: date.date.timeIntervalSince(now))
        case nil: nil
        }
    }

    /// Whether a chord waits for a task, or for the last of those that follow it in its chain.
    ///
    /// The broker must not drop such a task silently: a worker finds that it has expired, by the header, and reports that.
    func isCollected(_ replyTo: String?, before chain: [JSONValue]?) -> Bool {
        let collector = ChordCollector(configuration)
        return collector.collects(replyTo) || chain?.first.map { Self.completes($0, collector) } ?? false
    }

    /// Whether one of the tasks whose results are a signature's result reports to a collector.
    ///
    /// The depth is that of the signature's JSON.
    private static func completes(_ signature: JSONValue, _ collector: ChordCollector) -> Bool {
        let kwargs = signature["kwargs"]
        switch signature["subtask_type"]?.stringValue {
        case "chain": return kwargs?["tasks"]?.arrayValue?.last.map { completes($0, collector) } ?? false
        case "group": return kwargs?["tasks"]?.arrayValue?.contains { completes($0, collector) } ?? false
        case "chord": return kwargs?["body"].map { completes($0, collector) } ?? false
        default: return collector.collects(signature["options"]?["reply_to"]?.stringValue)
        }
    }

    /// The property for this many seconds.
    ///
    /// RabbitMQ closes the channel of a publisher that asks for more than 2³² − 1 ms. Such an expiry is left to the worker,
    /// which reads the header.
    static func expiration(seconds: Double) -> String {
        let milliseconds = min(max(seconds * 1000, 0), Double(UInt32.max))
        // A microsecond more keeps a whole number of milliseconds from being cut to the one below it.
        return String(UInt64(milliseconds + 1e-3))
    }

    private func time(_ date: Date) -> WireDate {
        WireDate(date, offsetSeconds: configuration.timezone.secondsFromGMT(for: date))
    }
}
