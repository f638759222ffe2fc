internal import CeleryProtocol
internal import FoundationEssentials

/// The report on software, platform and settings that goes with a report of a defect (`celery report`).
package enum SoftwareReport {
    /// The text, in the layout of `celery.app.utils.bugreport`; without secrets.
    package static func text(_ celery: CeleryConfiguration) -> String {
        let software = "swcelery:\(PackageVersion.text) swift:\(swift)"
        var lines = [
            "",
            "software -> \(software)",
            "platform -> system:\(system) arch:\(architecture)",
            "            os:\(ProcessInfo.processInfo.operatingSystemVersionString) imp:Swift",
            "loader   -> swcelery",
            "settings -> transport:amqp results:rpc://",
            "",
        ]
        for (name, value) in celery.table(withDefaults: false) {
            lines.append("\(name): \(PythonLiteral.text(of: value))")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static let swift: String = {
        #if compiler(>=6.3)
        "6.3 or later"
        #else
        "6.2"
        #endif
    }()

    private static let system: String = {
        #if os(Linux)
        "Linux"
        #elseif os(macOS)
        "Darwin"
        #else
        "Unix"
        #endif
    }()

    private static let architecture: String = {
        #if arch(x86_64)
        "x86_64"
        #elseif arch(arm64)
        "arm64"
        #else
        "other"
        #endif
    }()
}
