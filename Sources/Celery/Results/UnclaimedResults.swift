internal import DequeModule

/// Results of tasks that nobody has asked for yet, kept for a while: the oldest go when there are too many
/// (`celery.backends.base` keeps 8,192).
struct UnclaimedResults {
    private struct Item {
        var messages: [ResultMessage] = []
        var bytes = 0
        var serial: UInt64
    }

    private let maxCount: Int
    private let maxBytes: Int
    private var items: [String: Item] = [:]
    private var order: Deque<(id: String, serial: UInt64)> = []
    private var nextSerial: UInt64 = 0
    private var bytes = 0
    /// Messages that are kept.
    private(set) var count = 0
    /// Messages that were dropped so far.
    private(set) var dropped = 0

    init(maxCount: Int = 8_192, maxBytes: Int = 64 << 20) {
        self.maxCount = maxCount
        self.maxBytes = maxBytes
    }

    /// Keeps a message; answers how many others were dropped for it.
    mutating func insert(_ message: ResultMessage, bytes size: Int) -> Int {
        let before = dropped
        var item = items[message.taskID] ?? newItem(message.taskID)
        item.messages.append(message)
        item.bytes += size
        items[message.taskID] = item
        count += 1
        bytes += size
        while count > maxCount || bytes > maxBytes, let oldest = order.popFirst() { drop(oldest.id, oldest.serial) }
        compact()
        return dropped - before
    }

    /// Takes the messages of a task, in the order of arrival.
    mutating func remove(_ id: String) -> [ResultMessage] {
        guard let item = items.removeValue(forKey: id) else { return [] }
        count -= item.messages.count
        bytes -= item.bytes
        return item.messages
    }

    mutating func removeAll() {
        items = [:]
        order = []
        count = 0
        bytes = 0
    }

    private mutating func newItem(_ id: String) -> Item {
        nextSerial += 1
        order.append((id, nextSerial))
        return Item(serial: nextSerial)
    }

    private mutating func drop(_ id: String, _ serial: UInt64) {
        guard items[id]?.serial == serial else { return }
        dropped += remove(id).count
    }

    /// Drops the places of tasks that were claimed, once they outnumber the others.
    private mutating func compact() {
        guard order.count > 64, order.count > 2 * items.count else { return }
        order = Deque(order.filter { items[$0.id]?.serial == $0.serial })
    }
}
