extension JSONValue {
    /// A duration in seconds: an integer where it is whole, as Python callers usually give it.
    init(seconds duration: Duration) {
        let (seconds, attoseconds) = duration.components
        if attoseconds == 0, let whole = Int(exactly: seconds) {
            self = .int(whole)
        } else {
            self = .double(duration.inSeconds)
        }
    }

    /// The duration, where the value is a number of seconds within ±2³¹, Celery's own bound.
    var secondsDuration: Duration? {
        switch self {
        case .int(let seconds):
            guard seconds.magnitude <= UInt(TimeLimit.greatest) else { return nil }
            return .seconds(seconds)
        case .double(let seconds):
            guard abs(seconds) <= Double(TimeLimit.greatest) else { return nil }
            return .seconds(seconds)
        default:
            return nil
        }
    }
}

extension Duration {
    /// The duration in seconds.
    package var inSeconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) + Double(attoseconds) / 1e18
    }
}
