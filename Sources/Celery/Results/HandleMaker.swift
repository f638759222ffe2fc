/// Makes the handles of what is sent, in the form of the result.
struct HandleMaker {
    let backend: RPCResultBackend
    /// Why no result of the whole comes in here; nil where results do.
    let obstacle: CeleryError?
    /// Tasks whose results are not wanted.
    let ignored: Set<String>
    /// What becomes of failures in the group that is the result.
    let policy: GroupFailurePolicy

    /// The handle of a task, or of a group where the result is one.
    func task<Output>(_ composition: Composition) -> TaskHandle<Output> {
        guard let result = composition.result else { return task(composition.lineage, before: nil) }
        return task(result, policy: policy)
    }

    /// The handle of a group; nil where the result is a single task.
    func group<Element>(_ composition: Composition) -> GroupHandle<Element>? {
        composition.result.flatMap { $0.members == nil ? nil : group($0, policy: policy) }
    }

    /// Whether a result comes in of any of the tasks that have handles.
    func receivesResult(_ composition: Composition) -> Bool {
        guard obstacle == nil else { return false }
        if let result = composition.result { return receives(result) }
        return composition.lineage.contains { !ignored.contains($0) }
    }

    private func receives(_ result: ResultTuple) -> Bool {
        let isOwn = result.members.map { $0.contains(where: receives) } ?? !ignored.contains(result.id)
        return isOwn || result.parent.map { receives($0) } ?? false
    }

    /// Nested groups fail with their first failure, as Celery's do.
    private func task<Output>(_ result: ResultTuple, policy: GroupFailurePolicy = .fail) -> TaskHandle<Output> {
        if result.members != nil {
            return TaskHandle(id: result.id, source: .group(group(result, policy: policy)))
        }
        var lineage = [result.id]
        var before: GroupHandle<JSONValue>?
        var next = result.parent
        while let parent = next {
            if parent.members != nil {
                before = group(parent)
                break
            }
            lineage.append(parent.id)
            next = parent.parent
        }
        return task(lineage.reversed(), before: before)
    }

    private func group<Element>(_ result: ResultTuple, policy: GroupFailurePolicy = .fail) -> GroupHandle<Element> {
        GroupHandle(
            id: result.id,
            members: (result.members ?? []).map { task($0) },
            failurePolicy: policy,
            parent: result.parent.map { task($0) }
        )
    }

    private func task<Output>(_ lineage: [String], before: GroupHandle<JSONValue>?) -> TaskHandle<Output> {
        let id = lineage.last ?? ""
        if let obstacle { return TaskHandle(id: id, source: .none(obstacle)) }
        // Known before it is sent: the result may be faster than the confirm.
        let interest = ResultInterest(backend: backend, lineage: lineage, ignored: ignored)
        return TaskHandle(id: id, source: .backend(interest, index: lineage.count - 1), before: before)
    }
}

extension CeleryError {
    /// Nobody wanted the task's result.
    static func ignored(_ id: String) -> CeleryError {
        CeleryError(.resultIgnored, "task \(id) was sent with its result ignored")
    }
}
