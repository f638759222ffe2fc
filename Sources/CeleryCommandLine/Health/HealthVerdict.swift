/// What a probe makes of a worker's health file: a sentence, and the exit code.
struct HealthVerdict: Sendable, Hashable {
    /// What is asked.
    enum Question: String, Sendable, CaseIterable {
        /// Whether the worker does its work at all.
        case live
        /// Whether it takes tasks.
        case ready
        /// Whether it has taken tasks at one time.
        case startup
    }

    let text: String
    let status: CommandStatus

    /// Judges what was found.
    ///
    /// - Parameters:
    ///   - report: what the file says.
    ///   - isRunning: whether the process that wrote it is there.
    ///   - now: seconds since the system's start.
    init(_ question: Question, _ report: HealthReport, isRunning: Bool, now: Double) {
        let age = now - report.time
        let worker = "\(report.hostname) (pid \(report.process))"
        let limit = Double(HealthReport.staleAfter.components.seconds)
        if !isRunning {
            self.init("\(worker) does not run any more", .unavailable)
        } else if age < -1 {
            self.init("\(worker): the report is from before the system's start", .unavailable)
        } else if age > limit {
            self.init("\(worker) has not answered for \(Int(age)) s", .failure)
        } else {
            self.init(question, report, worker)
        }
    }

    private init(_ question: Question, _ report: HealthReport, _ worker: String) {
        let obstacle = report.obstacle
        switch question {
        case .ready where obstacle != nil: self.init("\(worker) is not ready: \(obstacle ?? "")", .failure)
        case .startup where !report.hasStarted:
            self.init("\(worker) has not started: \(obstacle ?? "nothing is consumed yet")", .failure)
        case .live: self.init("\(worker) is live", .success)
        case .ready: self.init("\(worker) is ready", .success)
        case .startup: self.init("\(worker) has started", .success)
        }
    }

    private init(_ text: String, _ status: CommandStatus) {
        self.text = text
        self.status = status
    }
}
