internal import FoundationEssentials

/// How this process names itself on the wire.
package enum ProcessIdentity {
    /// The host's name.
    package static let host: String = ProcessInfo.processInfo.hostName
    /// The process's id.
    package static let processID = Int(ProcessInfo.processInfo.processIdentifier)
    /// `gen<pid>@<host>`: the name of a sender that is no worker node (`celery.utils.nodenames.anon_nodename`).
    package static let origin = "gen\(processID)@\(host)"
}
