import CSystemShims

/// `--uid`, `--gid` and `--umask`.
enum Privileges {
    /// Becomes this user and group, with the user's groups; nothing else is done before.
    ///
    /// - Throws: `CommandFailure` where that is not possible: the worker must not run with more rights than asked for.
    static func drop(user: String?, group: String?) throws {
        guard user != nil || group != nil else { return }
        switch Int(swc_privileges_drop(user ?? "", group ?? "")) {
        case SWC_PRIVILEGES_DROPPED: return
        case SWC_PRIVILEGES_NO_USER: throw CommandFailure("User does not exist: \(user ?? "")", status: .usage)
        case SWC_PRIVILEGES_NO_GROUP: throw CommandFailure("Group does not exist: \(group ?? "")", status: .usage)
        case SWC_PRIVILEGES_RESTORABLE:
            throw CommandFailure("The process could get its rights back after it had given them up (--uid)")
        default:
            throw CommandFailure("Only root may become another user or group (--uid, --gid)")
        }
    }

    /// Sets the mask of new files' modes.
    static func setMask(_ mask: FileModeMask?) {
        if let mask { _ = swc_umask(mask.bits) }
    }
}

/// The value of `--umask`.
struct FileModeMask: Sendable, Hashable {
    let bits: UInt32

    /// Reads a number: octal where it begins with 0, as Celery does, else decimal.
    init(parsing text: String) throws {
        guard let bits = UInt32(text, radix: text.hasPrefix("0") ? 8 : 10), bits <= 0o777 else {
            throw OptionError("must be a file mode mask such as 022, got '\(text)'")
        }
        self.bits = bits
    }
}
