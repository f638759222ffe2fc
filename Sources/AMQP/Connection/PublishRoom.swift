internal import DequeModule

/// Room for publishes that were handed over and are not written yet.
///
/// A pure state machine. Those that wait for room get it in the order of their coming, so that a large message is not
/// overtaken for ever by small ones.
struct PublishRoom<Item> {
    private var free: (messages: Int, bytes: Int)
    private let capacity: (messages: Int, bytes: Int)
    private var waiting: [UInt64: (item: Item, bytes: Int)] = [:]
    /// The order of those that wait; some may have given up.
    private var order = Deque<UInt64>()

    init(messages: Int, bytes: Int) {
        capacity = (max(messages, 1), max(bytes, 1))
        free = capacity
    }

    /// Whether nothing is in the room.
    var isEmpty: Bool { free == capacity }

    /// How many wait for room.
    var waitingCount: Int { waiting.count }

    /// Takes room for a message; false where there is none, or others wait for it.
    mutating func take(bytes: Int) -> Bool {
        guard waiting.isEmpty, fits(bytes) else { return false }
        free.messages -= 1
        free.bytes -= bytes
        return true
    }

    /// Lets a message wait for room.
    mutating func wait(_ id: UInt64, _ item: Item, bytes: Int) {
        waiting[id] = (item, bytes)
        order.append(id)
    }

    /// One that waits has given up; answers whether it still waited.
    mutating func giveUp(_ id: UInt64) -> Bool {
        guard waiting.removeValue(forKey: id) != nil else { return false }
        if order.count > 2 * waiting.count + 64 { order.removeAll { waiting[$0] == nil } }
        return true
    }

    /// Frees the room of messages, and gives it to those that wait.
    mutating func free(messages: Int, bytes: Int) -> [Item] {
        free.messages += messages
        free.bytes += bytes
        var admitted: [Item] = []
        while let id = order.first {
            guard let (item, bytes) = waiting[id] else {
                order.removeFirst()
                continue
            }
            guard fits(bytes) else { break }
            free.messages -= 1
            free.bytes -= bytes
            waiting[id] = nil
            order.removeFirst()
            admitted.append(item)
        }
        return admitted
    }

    /// A message that is larger than the whole room fits when nothing else is in it.
    private func fits(_ bytes: Int) -> Bool {
        free.messages > 0 && (bytes <= free.bytes || isEmpty)
    }
}
