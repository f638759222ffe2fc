import ArgumentParser

/// The options of the `worker` command that make it a daemon, with the names that they have in Celery.
struct DaemonOptions: ParsableArguments {
    @Flag(
        name: [.customShort("D"), .customLong("detach")],
        help: "Start the worker in the background; ends when it is up."
    )
    var detach = false

    @Option(
        name: [.customShort("f"), .customLong("logfile")],
        help: ArgumentHelp(
            "Log destination; may be moved away while it is written. %n, %h, %d and %p stand for parts of the worker's name, %i and %I for the number of a child process. (default: standard error)",
            valueName: "path"
        )
    )
    var logFile: String?

    @Option(
        name: .customLong("pidfile"),
        help: ArgumentHelp(
            "File for the process's id. A worker does not start while the process of an earlier one runs. %n, %h, %d and %p as for the log.",
            valueName: "path"
        )
    )
    var pidfile: String?

    @Option(
        name: .customLong("uid"),
        help: ArgumentHelp("Become this user first, with the user's groups.", valueName: "user")
    )
    var user: String?

    @Option(name: .customLong("gid"), help: ArgumentHelp("Become this group first.", valueName: "group"))
    var group: String?

    @Option(
        name: .customLong("umask"),
        help: ArgumentHelp("Mask of the modes of new files; octal with a leading 0.", valueName: "mask"),
        transform: FileModeMask.init(parsing:)
    )
    var umask: FileModeMask?
}
