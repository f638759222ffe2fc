import Celery
import DequeModule

/// The rate limits of a worker's task types, and what waits for them: each type in a line of its own, in order of arrival.
///
/// A pure value without a clock: the `Dispatcher` performs what it says.
struct RateLimiter<Element> {
    private struct Line {
        var bucket: TokenBucket
        var waiting: Deque<Element> = []

        mutating func append(_ element: Element, _ isBehind: (Element, Element) -> Bool) {
            var place = waiting.endIndex
            while place > waiting.startIndex, isBehind(waiting[place - 1], element) { place -= 1 }
            waiting.insert(element, at: place)
        }
    }

    private var lines: [String: Line] = [:]
    /// How many elements wait.
    private(set) var count = 0

    /// Whether no type is limited.
    var isOff: Bool { lines.isEmpty }

    /// Makes a limiter with a full bucket for each type that is limited.
    init(_ limits: some Sequence<(name: String, limit: RateLimit)> = [], now: ContinuousClock.Instant = .now) {
        for (name, limit) in limits where !limit.isOff {
            lines[name] = Line(bucket: TokenBucket(fillRate: limit.tasksPerSecond, now: now))
        }
    }

    /// Whether a task of this type may start now, which then counts as started; else it is to be appended to its line.
    mutating func admit(_ task: String, now: ContinuousClock.Instant) -> Bool {
        guard lines[task] != nil else { return true }
        return lines[task]?.waiting.isEmpty == true && lines[task]?.bucket.take(now: now) == true
    }

    /// Lets an element wait behind those of its type; false if the type is not limited.
    ///
    /// - Parameter isBehind: whether the first element belongs behind the second, although that comes only now: while a
    ///   consumer is replaced, its last deliveries may be told after the first ones of its successor.
    mutating func append(
        _ element: Element,
        for task: String,
        isBehind: (Element, Element) -> Bool = { _, _ in false }
    ) -> Bool {
        guard lines[task] != nil else { return false }
        lines[task]?.append(element, isBehind)
        count += 1
        return true
    }

    /// Takes what may start now out of the lines.
    ///
    /// - Parameter isVoid: whether an element does not start any more; it leaves the line without using the rate up.
    mutating func takeDue(now: ContinuousClock.Instant, isVoid: (Element) -> Bool = { _ in false }) -> [Element] {
        guard count > 0 else { return [] }
        var due: [Element] = []
        // The names apart: a dictionary that is being walked through is copied when it changes.
        for name in Array(lines.keys) {
            while let first = lines[name]?.waiting.first {
                guard isVoid(first) || lines[name]?.bucket.take(now: now) == true else { break }
                lines[name]?.waiting.removeFirst()
                due.append(first)
            }
        }
        count -= due.count
        return due
    }

    /// When the next element may start; nil if none waits.
    mutating func nextDue(now: ContinuousClock.Instant) -> ContinuousClock.Instant? {
        guard count > 0 else { return nil }
        var next: ContinuousClock.Instant?
        for name in lines.keys where lines[name]?.waiting.isEmpty == false {
            guard let due = lines[name]?.bucket.nextToken(now: now) else { continue }
            next = min(next ?? due, due)
        }
        return next
    }

    /// Changes a type's limit, with a full bucket; nil for none.
    ///
    /// - Returns: what waited, if the type is not limited any more.
    mutating func set(_ limit: RateLimit?, for task: String, now: ContinuousClock.Instant) -> [Element] {
        guard let limit, !limit.isOff else {
            let freed = lines.removeValue(forKey: task)?.waiting ?? []
            count -= freed.count
            return Array(freed)
        }
        let waiting = lines[task]?.waiting ?? []
        lines[task] = Line(bucket: TokenBucket(fillRate: limit.tasksPerSecond, now: now), waiting: waiting)
        return []
    }

    /// Takes out every element that satisfies the condition, each type's in order.
    mutating func removeAll(where condition: (Element) -> Bool) -> [Element] {
        guard count > 0 else { return [] }
        var removed: [Element] = []
        for name in lines.keys {
            guard let found = lines[name]?.waiting.filter(condition), !found.isEmpty else { continue }
            lines[name]?.waiting.removeAll(where: condition)
            removed += found
        }
        count -= removed.count
        return removed
    }
}
