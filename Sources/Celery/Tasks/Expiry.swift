public import FoundationEssentials

/// When a task that has not started yet is dropped; Celery's `expires`.
public struct Expiry: Sendable, Hashable {
    /// The forms that an expiry has on its way.
    package enum Moment: Sendable, Hashable {
        /// So long after sending.
        case after(Duration)
        /// At this time.
        case at(WireDate)
    }

    /// The expiry in the form that it was given in.
    package let moment: Moment

    /// Makes an expiry of a stored form.
    package init(_ moment: Moment) {
        self.moment = moment
    }

    /// So long after sending.
    public static func after(_ duration: Duration) -> Expiry { Expiry(.after(duration)) }

    /// At this time.
    public static func at(_ date: Date) -> Expiry { Expiry(.at(WireDate(date))) }
}
