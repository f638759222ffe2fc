/// A run that was reported as ended although its body goes on.
struct AbandonedRun: Sendable {
    let request: TaskRequest
    let slot: InProcessSlot

    /// Whether the body goes on still.
    var isStuck: Bool { slot.isStuck }
}
