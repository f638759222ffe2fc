/// Options of Celery's command line that this one does not have, so that whoever tries one is told why.
enum ForeignOptions {
    private static let notYet = "is not there yet"

    private static let reasons: [String: String] = [
        "-B": "\(notYet): run 'celery beat' beside the workers",
        "--beat": "\(notYet): run 'celery beat' beside the workers",
        "-I": "does not exist: a Swift worker's tasks are compiled into it",
        "--include": "does not exist: a Swift worker's tasks are compiled into it",
        "-s": "belongs to beat, which \(notYet): run 'celery beat' beside the workers",
        "--schedule": "belongs to beat, which \(notYet): run 'celery beat' beside the workers",
        "--scheduler": "belongs to beat, which \(notYet): run 'celery beat' beside the workers",
        "--disable-prefetch": "is for Redis only, also in Celery: use --prefetch-multiplier",
        "--executable": "does not exist: -A names the executable",
        "--loader": "does not exist: a Swift worker's tasks are compiled into it",
        "--serializer": "does not exist: arguments are sent as JSON",
        "--result-backend": "does not exist: results travel over rpc://",
    ]

    /// A remark on the first of these arguments that is an option of Celery's; nil if there is none.
    static func remark(on arguments: [String]) -> String? {
        for argument in arguments.prefix(while: { $0 != "--" }) {
            let name = argument.split(separator: "=", maxSplits: 1).first.map(String.init) ?? argument
            if let reason = reasons[name] { return "Celery's option \(name) \(reason)." }
        }
        return nil
    }
}
