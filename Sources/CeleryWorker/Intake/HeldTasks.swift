/// The tasks that a worker holds at one moment, for whoever asks.
///
/// The dispatcher copies no more than references: what is packed is unpacked by the one who has asked.
struct HeldTasks: Sendable {
    /// What slots have taken; those whose bodies have not begun count as waiting.
    var running: [TaskRequest] = []
    /// What waits for a slot.
    var waiting: [TaskRequest] = []
    /// What waits for the rate of its type.
    var limited: [ParkedDelivery] = []
    /// What waits for its time.
    var parked = EtaHeap<ParkedDelivery>()
}

extension Dispatcher {
    /// What the worker holds now.
    var heldTasks: HeldTasks {
        HeldTasks(
            running: environment.pool.running,
            waiting: environment.pool.waiting + ready,
            limited: limiter.waiting,
            parked: parked
        )
    }
}
