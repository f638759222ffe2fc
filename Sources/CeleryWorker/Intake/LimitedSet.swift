import DequeModule

/// A set with an upper bound, in the order of insertion; the oldest elements go first.
///
/// Once it is full, what is older than the expiry goes too, and not before. It knows no clock: whoever asks says what time it
/// is. Source of the rules: Celery's `celery.utils.collections.LimitedSet`.
struct LimitedSet<Element: Hashable & Sendable>: Sendable {
    private struct Entry {
        let element: Element
        let time: ContinuousClock.Instant
        let number: UInt64
    }

    /// How many elements it keeps; 0 for any number.
    let capacity: Int
    /// How old an element of a full set may become; zero for any age.
    let expiry: Duration
    /// The number of each element's valid entry.
    private var numbers: [Element: UInt64] = [:]
    /// Entries by age; those of elements that were added again since are void.
    private var entries: Deque<Entry> = []
    private var nextNumber: UInt64 = 0

    init(capacity: Int, expiry: Duration) {
        self.capacity = max(0, capacity)
        self.expiry = expiry
    }

    private var isBounded: Bool { capacity > 0 }

    /// How many elements there are.
    var count: Int { numbers.count }

    /// The elements with the times at which they were added last, oldest first.
    var elements: [(element: Element, time: ContinuousClock.Instant)] {
        entries.lazy.filter { numbers[$0.element] == $0.number }.map { ($0.element, $0.time) }
    }

    func contains(_ element: Element) -> Bool { numbers[element] != nil }

    /// Adds an element, or makes it the youngest; answers the elements that had to go.
    @discardableResult
    mutating func insert(_ element: Element, now: ContinuousClock.Instant) -> [Element] {
        append(element, now)
        if entries.count > 2 * max(numbers.count, 64) { entries.removeAll { numbers[$0.element] != $0.number } }
        return isBounded && numbers.count >= capacity ? purge(now: now) : []
    }

    /// Adds elements that were added elsewhere at these times, and puts all in order; answers the elements that had to go.
    ///
    /// An element that is there already keeps the later time.
    @discardableResult
    mutating func merge(
        _ others: some Sequence<(element: Element, time: ContinuousClock.Instant)>,
        now: ContinuousClock.Instant
    ) -> [Element] {
        let all = (elements + others).sorted { $0.time < $1.time }
        numbers = [:]
        entries = []
        for (element, time) in all { append(element, min(time, now)) }
        entries.removeAll { numbers[$0.element] != $0.number }
        return isBounded && numbers.count >= capacity ? purge(now: now) : []
    }

    /// Takes out what is too much, or too old.
    private mutating func purge(now: ContinuousClock.Instant) -> [Element] {
        var gone: [Element] = []
        while let oldest = entries.first {
            let isVoid = numbers[oldest.element] != oldest.number
            let isOver = numbers.count > capacity || (expiry > .zero && now - oldest.time >= expiry)
            guard isVoid || isOver else { break }
            entries.removeFirst()
            guard !isVoid else { continue }
            numbers[oldest.element] = nil
            gone.append(oldest.element)
        }
        return gone
    }

    private mutating func append(_ element: Element, _ time: ContinuousClock.Instant) {
        numbers[element] = nextNumber
        entries.append(Entry(element: element, time: time, number: nextNumber))
        nextNumber += 1
    }
}
