import FoundationEssentials

/// The CPUs that this process may use, counted as Celery's `celery.utils.sysinfo` counts them.
struct CPUBudget: Sendable, Hashable {
    /// CPUs that the scheduler's affinity mask allows, at least 1.
    let processors: Int
    /// CPUs that the control group's quota allows; nil without a quota.
    let quota: Double?

    /// The smaller of the two, with a part of a CPU counted as a whole one.
    var withinQuota: Int {
        guard let quota, quota < Double(processors) else { return processors }
        return max(1, Int(quota.rounded(.up)))
    }

    /// Reads `/proc` and `/sys/fs/cgroup`; elsewhere than on Linux only the number of processors.
    static func current() -> CPUBudget {
        let allowed = read("/proc/self/status").flatMap(allowedProcessors(inStatus:))
        return CPUBudget(processors: allowed ?? ProcessInfo.processInfo.activeProcessorCount, quota: currentQuota())
    }

    /// Counts the CPUs in the line `Cpus_allowed_list` of `/proc/self/status`, for example `0-3,8`.
    static func allowedProcessors(inStatus status: String) -> Int? {
        let name = "Cpus_allowed_list:"
        guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix(name) }) else { return nil }
        var count = 0
        for range in line.dropFirst(name.count).split(separator: ",") {
            let ends = range.split(separator: "-").map { Int($0.filter { !$0.isWhitespace }) }
            switch (ends.first ?? nil, ends.last ?? nil) {
            case (let low?, let high?) where low >= 0 && low <= high && high < 1 << 20: count += high - low + 1
            default: return nil
            }
        }
        return count > 0 ? count : nil
    }

    /// Quota divided by period; nil where there is no limit (`max` or a number that is not positive).
    static func quota(microseconds quota: some StringProtocol, per period: some StringProtocol) -> Double? {
        guard let quota = Int(quota), let period = Int(period), quota > 0, period > 0 else { return nil }
        return Double(quota) / Double(period)
    }

    /// Every folder from this control group up to the root: `/a/b`, `/a` and the empty path.
    static func ancestors(ofGroup path: String) -> [String] {
        let parts = path.split(separator: "/").filter { $0 != "." && $0 != ".." }
        return (0...parts.count).reversed().map { parts.prefix($0).map { "/" + $0 }.joined() }
    }

    private static func currentQuota() -> Double? {
        let groups = (read("/proc/self/cgroup") ?? "").split(separator: "\n").map {
            $0.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
        }
        for group in groups where group.count == 3 {
            let root = "/sys/fs/cgroup"
            let quotas: [Double]
            if group[1].isEmpty {
                quotas = ancestors(ofGroup: String(group[2])).compactMap { unifiedQuota(in: root + $0) }
            } else if group[1].split(separator: ",").contains("cpu") {
                quotas = ancestors(ofGroup: String(group[2])).compactMap { legacyQuota(in: "\(root)/\(group[1])\($0)") }
            } else {
                continue
            }
            if let least = quotas.min() { return least }
        }
        return nil
    }

    private static func unifiedQuota(in folder: String) -> Double? {
        let fields = (read(folder + "/cpu.max") ?? "").split(whereSeparator: \.isWhitespace)
        return fields.count == 2 ? quota(microseconds: fields[0], per: fields[1]) : nil
    }

    private static func legacyQuota(in folder: String) -> Double? {
        guard let limit = read(folder + "/cpu.cfs_quota_us"), let period = read(folder + "/cpu.cfs_period_us") else {
            return nil
        }
        return quota(microseconds: limit.filter { !$0.isWhitespace }, per: period.filter { !$0.isWhitespace })
    }

    private static func read(_ path: String) -> String? {
        try? String(contentsOfFile: path, encoding: .utf8)
    }
}
