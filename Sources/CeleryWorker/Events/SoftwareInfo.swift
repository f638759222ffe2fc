import Celery
import CeleryProtocol

/// What a worker tells of its software (`celery.worker.state.SOFTWARE_INFO`).
enum SoftwareInfo {
    /// The name of the software.
    static let name = "swcelery"

    /// The system's name, as `uname` has it.
    static let system: String = {
        #if os(Linux)
        "Linux"
        #elseif os(macOS)
        "Darwin"
        #else
        "Unix"
        #endif
    }()

    /// The fields of events and of answers.
    static let fields: JSONObject = [
        "sw_ident": .string(name), "sw_ver": .string(PackageVersion.text), "sw_sys": .string(system),
    ]
}
