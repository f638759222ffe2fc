/// Values by key in the order in which they were last touched; beyond a bound the ones untouched for longest go.
///
/// Every operation takes the same time, however many values there are.
package struct RecentTable<Value: Sendable>: Sendable {
    private struct Node: Sendable {
        var key: String
        var value: Value
        var newer: Int
        var older: Int
    }

    private static var none: Int { -1 }

    let capacity: Int
    /// How many values went because there were too many.
    package private(set) var evictedCount = 0
    private var nodes: [Node] = []
    private var places: [String: Int] = [:]
    private var free: [Int] = []
    private var newest = Self.none
    private var oldest = Self.none

    /// Makes an empty table.
    ///
    /// - Precondition: the capacity is positive.
    package init(capacity: Int) {
        precondition(capacity > 0, "a table has room for one value at least")
        self.capacity = capacity
    }

    package var count: Int { places.count }

    /// The value of a key, which does not count as a touch.
    package subscript(key: String) -> Value? { places[key].map { nodes[$0].value } }

    /// Changes the value of a key, or a fresh one, and touches it.
    package mutating func update(_ key: String, fresh: @autoclosure () -> Value, _ change: (inout Value) -> Void) {
        let place = touched(key) ?? inserted(key, fresh())
        change(&nodes[place].value)
    }

    /// Removes everything.
    package mutating func removeAll() {
        self = RecentTable(capacity: capacity)
    }

    /// The values, the last touched first.
    package var newestFirst: some Sequence<Value> {
        sequence(state: newest) { [nodes] place in
            guard place != Self.none else { return nil }
            defer { place = nodes[place].older }
            return nodes[place].value
        }
    }

    private mutating func touched(_ key: String) -> Int? {
        guard let place = places[key] else { return nil }
        if place != newest {
            unlink(place)
            link(place)
        }
        return place
    }

    private mutating func inserted(_ key: String, _ value: Value) -> Int {
        if places.count >= capacity { evictOldest() }
        let node = Node(key: key, value: value, newer: Self.none, older: Self.none)
        let place: Int
        if let reused = free.popLast() {
            nodes[reused] = node
            place = reused
        } else {
            nodes.append(node)
            place = nodes.count - 1
        }
        places[key] = place
        link(place)
        return place
    }

    private mutating func evictOldest() {
        let place = oldest
        unlink(place)
        places[nodes[place].key] = nil
        free.append(place)
        evictedCount += 1
    }

    private mutating func link(_ place: Int) {
        nodes[place].older = newest
        nodes[place].newer = Self.none
        if newest != Self.none { nodes[newest].newer = place }
        newest = place
        if oldest == Self.none { oldest = place }
    }

    private mutating func unlink(_ place: Int) {
        let (newer, older) = (nodes[place].newer, nodes[place].older)
        if newer != Self.none { nodes[newer].older = older } else { newest = older }
        if older != Self.none { nodes[older].newer = newer } else { oldest = newer }
    }
}
