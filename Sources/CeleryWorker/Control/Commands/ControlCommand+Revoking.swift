import AMQP
import Celery
import CeleryProtocol

// Commands that revoke tasks, and end those that run.
extension ControlCommand {
    static let revoking: [ControlCommand] = [revoke, terminate, revokeByStamps]

    private static let revoke = ControlCommand("revoke", ControlSignature(["task_id"])) { arguments, worker in
        let ids = unique(try arguments.texts("task_id"))
        guard arguments["terminate"]?.isTrue == true else {
            worker.revoke(ids)
            return .ok(.string("tasks \(setText(ids)) flagged as revoked"))
        }
        return try await terminate(ids, arguments["signal"], on: worker)
    }

    private static let terminate = ControlCommand("terminate", ControlSignature(["signal", "task_id"])) {
        arguments,
        worker in
        try await terminate(unique(try arguments.texts("task_id")), arguments["signal"], on: worker)
    }

    private static func terminate(
        _ ids: [String],
        _ signal: JSONValue?,
        on worker: Worker
    ) async throws -> ControlAnswer {
        let known = await knownIDs(among: ids, worker)
        let name: String
        do throws(TaskError) {
            name = try SignalName.read(signal)
        } catch {
            // Celery's workers have revoked the ids by then.
            worker.revoke(ids)
            throw error
        }
        worker.revoke(ids, terminate: true, signal: name)
        let found = ids.filter { known.contains($0) }
        guard !found.isEmpty else { return .ok("terminate: tasks unknown") }
        return .ok(.string("terminate: \(found.joined(separator: ", "))"))
    }

    /// Those of the ids that belong to tasks in this worker, whether they run or wait.
    private static func knownIDs(among ids: [String], _ worker: Worker) async -> Set<String> {
        let wanted = Set(ids)
        let held = await held(worker)
        var known = Set((held.running + held.waiting).lazy.map(\.id).filter { wanted.contains($0) })
        let hashes = Set(wanted.map(\.hashValue))
        let accept = worker.parts.dispatching.settings.accepted
        for delivery in held.limited + Array(held.parked.elements) where hashes.contains(delivery.idHash) {
            guard let id = TaskInfo(delivery, accept: accept)?.envelope.headers.id, wanted.contains(id) else {
                continue
            }
            known.insert(id)
        }
        return known
    }

    private static let revokeByStamps = ControlCommand(
        "revoke_by_stamped_headers",
        ControlSignature(["headers"])
    ) { arguments, worker in
        let signal = try SignalName.read(arguments["signal"])
        let headers = try stampedHeaders(arguments["headers"] ?? .null)
        let stamps = headers.mapValues { $0.arrayValue ?? [$0] }
        let text = PythonLiteral.text(of: .object(headers))
        let byName = Dictionary(uniqueKeysWithValues: stamps.map { ($0.key, $0.value) })
        guard arguments["terminate"]?.isTrue == true else {
            worker.revoke(stamps: byName)
            return .ok(.string("headers \(text) flagged as revoked, but not terminated"))
        }
        let matches = matches(stamps.map { ($0.key, $0.value) }, worker)
        worker.revoke(stamps: byName, terminate: true, signal: signal)
        guard !matches.isEmpty else { return .ok(.string("headers \(text) were not terminated")) }
        let shown = matches.map { "\(PythonLiteral.text(of: .string($0))): \(setText($1))" }.joined(separator: ", ")
        return .ok(.string("headers defaultdict(<class 'set'>, {\(shown)}) revoked"))
    }

    /// The map of the argument; a list has elements such as `name=value`.
    private static func stampedHeaders(_ value: JSONValue) throws(TaskError) -> JSONObject {
        if case .object(let headers) = value { return headers }
        guard case .array(let elements) = value else {
            throw .type("'headers' has to be a map, or a list of 'name=value'")
        }
        var headers: JSONObject = [:]
        for element in elements {
            let parts = (element.stringValue ?? "").split(separator: "=", omittingEmptySubsequences: false)
            guard parts.count > 1 else { throw TaskError(type: "IndexError", "list index out of range") }
            headers[String(parts[0])] = .string(String(parts[1]))
        }
        return headers
    }

    /// The revoked values of each stamp that running tasks have.
    private static func matches(_ stamps: [(String, [JSONValue])], _ worker: Worker) -> [(String, [JSONValue])] {
        let running = worker.parts.pool.running.map(\.envelope.headers)
        return stamps.compactMap { name, values in
            let carried = running.reduce(into: Set<JSONValue>()) { found, headers in
                guard let field = headers.stamps[name] else { return }
                found.formUnion(Revocations.values(JSONValue(field)))
            }
            let matching = values.filter { carried.contains($0) }
            return matching.isEmpty ? nil : (name, matching)
        }
    }

    private static func unique(_ ids: [String]) -> [String] {
        var seen: Set<String> = []
        return ids.filter { seen.insert($0).inserted }
    }

    private static func setText(_ ids: [String]) -> String { setText(ids.map(JSONValue.string)) }

    /// Python's text of a set.
    private static func setText(_ values: [JSONValue]) -> String {
        if values.isEmpty { return "set()" }
        return "{\(values.map { PythonLiteral.text(of: $0) }.joined(separator: ", "))}"
    }
}

/// Names of signals, as `celery.platforms.Signals.signum` reads them.
enum SignalName {
    /// The name of a signal that is given by name, with or without `SIG`, or by number; nothing means `SIGTERM`.
    ///
    /// - Throws: ``TaskError``, with Python's words.
    static func read(_ value: JSONValue?) throws(TaskError) -> String {
        switch value {
        case nil, .null?, .string("")?: return "SIGTERM"
        case .int(let number)?:
            guard let number = Int32(exactly: number), let name = ProcessExit.names[number] else {
                throw .value("signal number out of range")
            }
            return name
        case .string(let text)? where text == text.uppercased():
            let name = text.hasPrefix("SIG") ? text : "SIG" + text
            guard ChildHandle.number(ofSignal: name) != nil else {
                throw TaskError(type: "AttributeError", "module 'signal' has no attribute '\(name)'")
            }
            return name
        default: throw .type("signal name must be uppercase string.")
        }
    }
}
