/// Gives the tasks of a workflow their stamps, each as it is visited (Celery's `StampingVisitor`).
///
/// Every method gets the stamps so far, with their names under `stamped_headers`, and answers further ones. Where the answer
/// has no `stamped_headers` of its own, all of its keys are stamps; a key that is not named there becomes an option of the
/// task and no stamp. A visitor that remembers what it has seen is a class.
public protocol StampingVisitor {
    /// The stamps of a task.
    func onSignature(_ signature: Signature, _ stamps: JSONObject) -> JSONObject
    /// The stamps of a group's members, before these are visited.
    func onGroupStart(_ group: Signature, _ stamps: JSONObject) -> JSONObject
    /// Called behind a group's members.
    func onGroupEnd(_ group: Signature, _ stamps: JSONObject)
    /// The stamps of a chain's steps, before these are visited.
    func onChainStart(_ chain: Signature, _ stamps: JSONObject) -> JSONObject
    /// Called behind a chain's steps.
    func onChainEnd(_ chain: Signature, _ stamps: JSONObject)
    /// The stamps of a chord's header, before its tasks are visited; by default those of its group.
    func onChordHeaderStart(_ chord: Signature, _ stamps: JSONObject) -> JSONObject
    /// Called behind the tasks of a chord's header; by default it ends the group.
    func onChordHeaderEnd(_ chord: Signature, _ stamps: JSONObject)
    /// The stamps of a chord's body.
    func onChordBody(_ chord: Signature, _ stamps: JSONObject) -> JSONObject
    /// The stamps of a callback.
    func onCallback(_ callback: Signature, _ stamps: JSONObject) -> JSONObject
    /// The stamps of an errback.
    func onErrback(_ errback: Signature, _ stamps: JSONObject) -> JSONObject
}

extension StampingVisitor {
    /// No stamps.
    public func onGroupStart(_ group: Signature, _ stamps: JSONObject) -> JSONObject { [:] }
    /// Nothing.
    public func onGroupEnd(_ group: Signature, _ stamps: JSONObject) {}
    /// No stamps.
    public func onChainStart(_ chain: Signature, _ stamps: JSONObject) -> JSONObject { [:] }
    /// Nothing.
    public func onChainEnd(_ chain: Signature, _ stamps: JSONObject) {}
    /// The stamps of the header's group.
    public func onChordHeaderStart(_ chord: Signature, _ stamps: JSONObject) -> JSONObject {
        onGroupStart(Signature.group(of: chord.memberSignatures), stamps)
    }
    /// Ends the header's group.
    public func onChordHeaderEnd(_ chord: Signature, _ stamps: JSONObject) {
        onGroupEnd(Signature.group(of: chord.memberSignatures), stamps)
    }
    /// No stamps.
    public func onChordBody(_ chord: Signature, _ stamps: JSONObject) -> JSONObject { [:] }
    /// No stamps.
    public func onCallback(_ callback: Signature, _ stamps: JSONObject) -> JSONObject { [:] }
    /// No stamps.
    public func onErrback(_ errback: Signature, _ stamps: JSONObject) -> JSONObject { [:] }
}
