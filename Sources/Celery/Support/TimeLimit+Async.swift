/// Runs an operation that ends when it is cancelled, for at most so long.
///
/// - Parameters:
///   - limit: the time; nil for no limit.
///   - late: the error where it is over.
///   - operation: what is run.
/// - Throws: the operation's error, or the error for the time limit.
func limited(
    to limit: Duration?,
    late: @Sendable () -> CeleryError,
    _ operation: @escaping @Sendable () async throws(CeleryError) -> Void
) async throws(CeleryError) {
    guard let limit else { return try await operation() }
    let outcome = await withTaskGroup(of: Result<Void, CeleryError>?.self) { group in
        group.addTask {
            do throws(CeleryError) {
                return .success(try await operation())
            } catch {
                return .failure(error)
            }
        }
        group.addTask {
            try? await Task.sleep(for: limit)
            return nil
        }
        // Whichever ends first; after the time limit the operation's end is waited for, which may have come just now.
        if case .some(.some(let outcome)) = await group.next() {
            group.cancelAll()
            return outcome
        }
        let isCancelled = Task.isCancelled
        group.cancelAll()
        guard case .some(.some(let outcome)) = await group.next() else { return .failure(late()) }
        if case .failure(let error) = outcome, error.code == .cancelled, !isCancelled { return .failure(late()) }
        return outcome
    }
    try outcome.get()
}
