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
