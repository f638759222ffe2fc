/// What becomes of a group's results where some of its tasks have failed.
///
/// Celery knows the first way only.
public enum GroupFailurePolicy: String, Sendable, Hashable, CaseIterable {
    /// The whole fails with the first failure, in the order of the group.
    case fail
    /// Failed tasks are left out of the list of results.
    case ignore
    /// A failed task's place in the list of results is null.
    case `continue`
}
