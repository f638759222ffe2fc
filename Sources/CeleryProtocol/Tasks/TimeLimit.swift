public import AMQPValues

/// One of the two numbers of the `timelimit` header, in seconds.
///
/// `60` and `60.0` are different on the wire.
public enum TimeLimit: Sendable, Hashable {
    /// No limit of the message's own.
    case none
    /// A whole number.
    case integer(Int)
    /// A float, finite after decoding.
    case float(Double)

    /// The largest amount that is read, Celery's own bound for seconds: 2³¹ − 1.
    public static let greatest = 2_147_483_647

    /// Makes a limit of seconds: an integer where the number is whole, none where it is nil, not finite or out of range.
    public init(seconds: Double?) {
        guard let seconds, abs(seconds) <= Double(Self.greatest) else {
            self = .none
            return
        }
        self = if let whole = Int(exactly: seconds) { .integer(whole) } else { .float(seconds) }
    }

    /// Reads a field; nil where it is not a number within the bound.
    init?(decoding field: FieldValue) {
        switch field {
        case .void:
            self = .none
        case .float, .double:
            guard let seconds = field.doubleValue, abs(seconds) <= Double(Self.greatest) else { return nil }
            self = .float(seconds)
        default:
            guard let seconds = field.intValue, seconds.magnitude <= Self.greatest else { return nil }
            self = .integer(seconds)
        }
    }

    /// The limit in seconds.
    public var seconds: Double? {
        switch self {
        case .none: nil
        case .integer(let seconds): Double(seconds)
        case .float(let seconds): seconds
        }
    }

    /// The limit as a duration; nil where Celery falls back to the task's own, which a zero asks for too.
    public var duration: Duration? {
        guard let seconds, seconds > 0, seconds <= Double(Self.greatest) else { return nil }
        return .seconds(seconds)
    }

    /// The field for the header.
    public var field: FieldValue {
        switch self {
        case .none: .void
        case .integer(let seconds): .integer(seconds)
        case .float(let seconds): .double(seconds)
        }
    }
}
