/// The type of queue that is declared where only a name is given.
public enum QueueType: String, Sendable, Hashable, CaseIterable {
    /// A classic queue; nothing is added to the declaration.
    case classic
    /// A replicated quorum queue, declared with `x-queue-type: quorum`.
    case quorum
}
