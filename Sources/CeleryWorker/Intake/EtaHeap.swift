/// Deliveries that wait for their time, earliest first; equal times keep their order of arrival.
///
/// The heap knows no clock: whoever asks says what time it is, so that tests need not wait.
struct EtaHeap<Element> {
    private struct Entry {
        let due: Int64
        let sequence: UInt64
        let element: Element

        func isBefore(_ other: Entry) -> Bool {
            due != other.due ? due < other.due : sequence < other.sequence
        }
    }

    private var entries: [Entry] = []
    private var nextSequence: UInt64 = 0

    /// How many elements wait.
    var count: Int { entries.count }

    /// Whether nothing waits.
    var isEmpty: Bool { entries.isEmpty }

    /// When the first element is due, in microseconds since 1970; nil if nothing waits.
    var nextDue: Int64? { entries.first?.due }

    /// Adds an element that is due at this time, in microseconds since 1970.
    mutating func insert(_ element: Element, due: Int64) {
        entries.append(Entry(due: due, sequence: nextSequence, element: element))
        nextSequence += 1
        siftUp(from: entries.count - 1)
    }

    /// Takes the first element if it is due by now.
    mutating func popDue(now: Int64) -> Element? {
        guard let first = entries.first, first.due <= now else { return nil }
        return removeFirst()
    }

    /// Whether an element satisfies the condition.
    func contains(where condition: (Element) -> Bool) -> Bool { entries.contains { condition($0.element) } }

    /// Takes every element that satisfies the condition, in the order of their times.
    mutating func removeAll(where condition: (Element) -> Bool) -> [Element] {
        let ordered = entries.sorted { $0.isBefore($1) }
        entries = ordered.filter { !condition($0.element) }
        return ordered.lazy.map(\.element).filter(condition)
    }

    private mutating func removeFirst() -> Element {
        entries.swapAt(0, entries.count - 1)
        let entry = entries.removeLast()
        siftDown(from: 0)
        return entry.element
    }

    private mutating func siftUp(from start: Int) {
        var child = start
        while child > 0 {
            let parent = (child - 1) / 2
            guard entries[child].isBefore(entries[parent]) else { return }
            entries.swapAt(child, parent)
            child = parent
        }
    }

    private mutating func siftDown(from start: Int) {
        var parent = start
        while true {
            var smallest = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < entries.count {
                if entries[child].isBefore(entries[smallest]) { smallest = child }
            }
            guard smallest != parent else { return }
            entries.swapAt(parent, smallest)
            parent = smallest
        }
    }
}
