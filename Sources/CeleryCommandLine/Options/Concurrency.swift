/// The values of `--concurrency`.
enum Concurrency: Sendable, Hashable {
    /// This many tasks at a time.
    case fixed(Int)
    /// As many as there are CPUs that the process may run on; the default.
    case processors
    /// The same, but within the CPU quota of the control group (container).
    case auto

    /// Most tasks at a time that one worker takes on; `basic.qos` counts in 16 bits.
    static let maximum = 65_535

    /// Reads a number or `auto`; 0 means the default, as with Celery.
    init(parsing text: String) throws {
        if text.lowercased() == "auto" {
            self = .auto
            return
        }
        guard let number = Int(text), (0...Self.maximum).contains(number) else {
            throw OptionError("must be a number from 0 to \(Self.maximum) or 'auto', got '\(text)'")
        }
        self = number == 0 ? .processors : .fixed(number)
    }

    /// The number of tasks at a time.
    func resolved(_ cpus: CPUBudget) -> Int {
        switch self {
        case .fixed(let number): number
        case .processors: min(cpus.processors, Self.maximum)
        case .auto: min(cpus.withinQuota, Self.maximum)
        }
    }
}
