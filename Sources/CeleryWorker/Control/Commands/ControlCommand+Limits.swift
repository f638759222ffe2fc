import Celery
import CeleryProtocol

// Commands that change the limits of tasks by their types.
extension ControlCommand {
    static let limiting: [ControlCommand] = [rateLimit, timeLimit]

    private static let rateLimit = ControlCommand("rate_limit", ControlSignature(["task_name", "rate_limit"])) {
        arguments,
        worker in
        let limit: RateLimit?
        do throws(TaskError) {
            limit = try rate(arguments["rate_limit"] ?? .null)
        } catch {
            guard error.type == "ValueError" else { throw error }
            return .error("Invalid rate limit string: \(error.description)")
        }
        let name = try arguments.text("task_name") ?? ""
        guard worker.setRateLimit(limit, for: name) else { return .error("unknown task") }
        return .ok(limit == nil ? "rate limit disabled successfully" : "new rate limit set successfully")
    }

    /// Reads a rate as `celery.utils.time.rate` does; nil for none.
    private static func rate(_ value: JSONValue) throws(TaskError) -> RateLimit? {
        guard value.isTrue else { return nil }
        guard let text = value.stringValue else {
            guard let number = value.doubleValue, number.isFinite, number > 0 else {
                throw .value("\(PythonLiteral.text(of: value)) is no rate limit")
            }
            return .perSecond(number)
        }
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard Double(parts[0].filter { $0 != " " }) != nil else {
            let shown = PythonLiteral.text(of: .string(String(parts[0])))
            throw .value("could not convert string to float: \(shown)")
        }
        if parts.count == 2, !["", "s", "m", "h"].contains(parts[1]) {
            throw TaskError(type: "KeyError", String(parts[1]))
        }
        do throws(CeleryError) {
            let limit = try RateLimit(text)
            return limit.isOff ? nil : limit
        } catch {
            throw .value(error.message)
        }
    }

    private static let timeLimit = ControlCommand(
        "time_limit",
        ControlSignature(optional: ["task_name", "hard", "soft"])
    ) { arguments, worker in
        let hard = try arguments.seconds("hard")
        let soft = try arguments.seconds("soft")
        let name = try arguments.text("task_name") ?? "None"
        guard worker.setTimeLimits(hard: hard, soft: soft, for: name) else { return .error("unknown task") }
        return .ok("time limits set successfully")
    }
}
