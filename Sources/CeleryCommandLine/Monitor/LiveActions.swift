import Celery

/// Carries out what keys of the live view ask for, and puts the outcome before the person.
struct LiveActions: Sendable {
    let control: ControlClient
    let inbox: LiveInbox

    func perform(_ action: Monitor.Action) {
        Task {
            do throws(CeleryError) {
                let (title, text) = try await outcome(of: action)
                inbox.put(Monitor.Page(title: title, text: text))
            } catch {
                inbox.put(note: CommandFailure(error).message)
            }
        }
    }

    private func outcome(of action: Monitor.Action) async throws(CeleryError) -> (String, String) {
        switch action {
        case .revoke(let id, let terminate):
            let replies = try await control.revoke([id], terminate: terminate)
            return (terminate ? "Terminate \(id)" : "Revoke \(id)", Self.text(replies))
        case .rateLimit(let task, let limit):
            let arguments: JSONObject = ["task_name": .string(task), "rate_limit": .string(limit)]
            return ("Rate limit of \(task)", Self.text(try await control.broadcast("rate_limit", arguments: arguments)))
        case .inspect(let worker):
            let replies = try await control.broadcast("stats", to: .node(worker), limit: 1)
            return ("Statistics of \(worker)", replies.first.map { JSONText.pretty($0.value) } ?? Self.silence)
        case .enableEvents:
            return ("Events of tasks", Self.text(try await control.enableEvents()))
        case .quit, .suspend, .redraw:
            return ("", "")
        }
    }

    private static let silence = "No worker replied within a second."

    private static func text(_ replies: [ControlReply]) -> String {
        if replies.isEmpty { return silence }
        return replies.map { reply in
            let said = reply.value["ok"] ?? reply.value["error"] ?? reply.value
            return "\(reply.node): \(said.stringValue ?? JSONText.line(said))"
        }.joined(separator: "\n")
    }
}
