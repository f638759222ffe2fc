/// How many slots a pool has, and how many it is to have.
struct SlotCount: Sendable, Hashable {
    /// How many there are to be; at least one.
    private(set) var wanted: Int
    /// How many there are, those among them that are to end after their run.
    private(set) var open = 0
    private var hasStarted = false
    private(set) var isClosed = false

    init(wanted: Int) { self.wanted = max(1, wanted) }

    /// Whether no slot is left, and none will come.
    var isOver: Bool { isClosed && open == 0 }

    /// Starts the pool; answers how many slots to start.
    mutating func start() -> Int {
        hasStarted = true
        open = wanted
        return open
    }

    /// Changes the number; answers how many slots are to come, or, where negative, to end.
    mutating func resize(to count: Int) -> Int {
        guard !isClosed else { return 0 }
        let change = max(1, count) - wanted
        wanted += change
        guard hasStarted else { return 0 }
        open += max(0, change)
        return change
    }

    /// So many of the slots that were to come need not be started: others stay that were to end.
    mutating func keep(_ count: Int) { open -= count }

    /// A slot has ended.
    mutating func end() { open -= 1 }

    /// No further slot starts.
    mutating func close() { isClosed = true }
}
