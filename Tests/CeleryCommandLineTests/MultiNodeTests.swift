import Testing

@testable import CeleryCommandLine

/// The nodes of `multi`, against what Celery 5.7 makes of the same arguments on a machine called `vm`.
@Suite struct MultiNodeTests {
    private static let launcher = MultiNode.Launcher(executable: "swcelery", machine: "vm")

    private func nodes(_ arguments: String) throws -> [MultiNode] {
        try MultiNode.nodes(
            NamespacedOptions(parsing: arguments.split(separator: " ").map(String.init)),
            launcher: Self.launcher
        )
    }

    struct Sample: Sendable {
        let arguments: String
        /// What Celery's `argv` has, apart from the executable's name and its option.
        let lines: [String]
    }

    /// The options of the standard files of a node.
    private static func files(_ name: String) -> String {
        "-n \(name)@vm --pidfile=/var/run/celery/\(name).pid --logfile=/var/log/celery/\(name)%I.log"
    }

    static let samples = [
        Sample(
            arguments: "3 -c 3 -c:1 10 -A proj --workdir=/tmp -l info -- extra --foo=1",
            lines: [
                "--workdir=/tmp -A proj worker --detach -c 10 -l info \(files("celery1")) -- extra --foo=1",
                "--workdir=/tmp -A proj worker --detach -c 3 -l info \(files("celery2")) -- extra --foo=1",
                "--workdir=/tmp -A proj worker --detach -c 3 -l info \(files("celery3")) -- extra --foo=1",
            ]
        ),
        Sample(
            arguments: "foo bar@%h baz@x -c 3 -c:foo,bar 10 -Q:2 data --pidfile=/r/%n.pid -q -f /l/%n%I.log",
            lines: [
                "-q worker --detach -c 10 --pidfile=/r/foo.pid -f /l/foo%I.log -n foo@vm",
                "-q worker --detach -c 10 --pidfile=/r/bar.pid -f /l/bar%I.log -n bar@vm",
                "-q worker --detach -c 3 --pidfile=/r/baz.pid -f /l/baz%I.log -n baz@x",
            ]
        ),
        Sample(
            arguments: "a-b -c:1 5 --hostname=w.example.com --prefix=p- --suffix=s --append=xx%n",
            lines: [
                "worker --detach -c 5 -n p-a-b@s --pidfile=/var/run/celery/p-a-b.pid --logfile=/var/log/celery/p-a-b%I.log xxp-a-b"
            ]
        ),
        Sample(
            arguments: "2 --range-prefix=w -n host -E --purge",
            lines: [
                "worker --detach -E --purge -n w1@host --pidfile=/var/run/celery/w1.pid --logfile=/var/log/celery/w1%I.log",
                "worker --detach -E --purge -n w2@host --pidfile=/var/run/celery/w2.pid --logfile=/var/log/celery/w2%I.log",
            ]
        ),
        Sample(
            arguments: "foo bar -c:1-2 9",
            lines: ["worker --detach \(files("foo"))", "worker --detach \(files("bar"))"]
        ),
        Sample(
            arguments: "5 -Q:1-3 images,video -Q:4,5 data -Q default -l:4,5 DEBUG",
            lines: [
                "worker --detach -Q images,video \(files("celery1"))",
                "worker --detach -Q images,video \(files("celery2"))",
                "worker --detach -Q images,video \(files("celery3"))",
                "worker --detach -Q data -l DEBUG \(files("celery4"))",
                "worker --detach -Q data -l DEBUG \(files("celery5"))",
            ]
        ),
        Sample(
            arguments: "w1 --hostname=%n.%d",
            lines: ["worker --detach -n w1@vm. --pidfile=/var/run/celery/w1.pid --logfile=/var/log/celery/w1%I.log"]
        ),
        Sample(
            arguments: "w1@vm -c:w1@vm 4 -c 2",
            lines: ["worker --detach -c 4 \(files("w1"))"]
        ),
        Sample(arguments: "w1@vm -c:w1 4 -c 2", lines: ["worker --detach -c 4 \(files("w1"))"]),
        Sample(
            arguments: "1 2 3 -c:2 4",
            lines: [
                "worker --detach \(files("1"))", "worker --detach -c 4 \(files("2"))", "worker --detach \(files("3"))",
            ]
        ),
        Sample(arguments: "0", lines: []),
        Sample(arguments: "-c 3", lines: []),
        Sample(arguments: "foo -A", lines: ["-A worker --detach \(files("foo"))"]),
        Sample(
            arguments: "3 -c:2-9 4",
            lines: [
                "worker --detach \(files("celery1"))", "worker --detach -c 4 \(files("celery2"))",
                "worker --detach -c 4 \(files("celery3"))",
            ]
        ),
        Sample(
            arguments: "foo --app=proj.%n --broker=amqp://x -C -q --config=c",
            lines: ["--config=c -q -C --broker=amqp://x --app=proj.foo worker --detach \(files("foo"))"]
        ),
    ]

    @Test(arguments: samples)
    func nodesAreCelerys(sample: Sample) throws {
        let lines = try nodes(sample.arguments).map { $0.arguments.joined(separator: " ") }
        #expect(lines == sample.lines)
    }

    @Test(arguments: [
        "foo bar -c:0 9", "foo bar -c:5 9", "3 -c:x-y 4", "foo -c:1:2 3", "foo -S %p --x=%z", "foo --pidfile -f",
        "1000000000", "3 -c:1-1000000000 4", "foo -",
    ])
    func argumentsThatCannotBeUnderstood(arguments: String) {
        #expect(throws: OptionError.self) { try nodes(arguments) }
    }

    @Test func aPidfileIsThatOfTheWorker() throws {
        let node = try #require(try nodes("foo --pidfile=run/%n-%i%I.%d.pid --logfile=log/%p.log").first)
        #expect(node.pidfile == "run/foo-0.vm.pid")
        #expect(node.logfile == "log/foo@vm.log")
    }

    @Test func aCommandAndAnExecutableOfOnesOwn() throws {
        var arguments = try NamespacedOptions(parsing: ["w", "--cmd=work %n", "--executable=/bin/other", "-c", "2"])
        arguments.removeOptions { $0.name == "-c" }
        let node = try #require(try MultiNode.nodes(arguments, launcher: Self.launcher).first)
        #expect(node.executable == "/bin/other")
        #expect(node.arguments.prefix(2) == ["work", "w"])
    }

    @Test(arguments: [
        (["w1", "-9"], "SIGKILL"), (["w1", "-QUIT", "-c", "3"], "SIGQUIT"), (["w1", "-E", "-c"], "SIGTERM"),
        (["-SIGUSR1"], "SIGUSR1"), (["-TERM", "-INT"], "SIGINT"), (["w1", "-NOSUCH"], "SIGTERM"), ([], "SIGTERM"),
    ])
    func theSignalIsTheLastOne(arguments: [String], name: String) {
        #expect(NodeSignal.last(in: arguments).name == name)
    }
}
