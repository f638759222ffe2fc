/// The name that this executable was started under, for help texts.
enum ExecutableName {
    /// The last part of the path in the process's first argument.
    static var current: String {
        let path = CommandLine.arguments.first ?? ""
        return path.split(separator: "/").last.map(String.init) ?? "swcelery"
    }
}
