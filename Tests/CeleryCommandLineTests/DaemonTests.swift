import CSystemShims
import CeleryWorker
import FoundationEssentials
import Synchronization
import Testing

@testable import CeleryCommandLine

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Files and notices of a daemon.
@Suite struct DaemonTests {
    /// Calls the closure with a folder of its own.
    private func withFolder(_ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "swcelery-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder)
    }

    private func text(_ path: String) -> String? {
        FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
    }

    private func write(_ text: String, to path: String) {
        _ = FileManager.default.createFile(atPath: path, contents: Data(text.utf8))
    }

    // MARK: Pidfile

    @Test func aPidfileHasTheProcessAndGoesAtTheEnd() throws {
        try withFolder { folder in
            let path = "\(folder)/w.pid"
            let pidfile = try Pidfile(acquiring: path)
            #expect(text(path) == "\(getpid())\n")
            var found = stat()
            #expect(stat(path, &found) == 0)
            #expect(found.st_mode & 0o777 & ~0o644 == 0)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["w.pid"])
            pidfile.release()
            #expect(text(path) == nil)
        }
    }

    @Test func aPidfileOfALivingProcessIsRespected() throws {
        try withFolder { folder in
            let path = "\(folder)/w.pid"
            write("\(getppid())\n", to: path)
            let failure = try #require(throws: CommandFailure.self) { try Pidfile(acquiring: path) }
            #expect(failure.status.code == 73)
            #expect(failure.message.contains("pid: \(getppid())"))
            #expect(text(path) == "\(getppid())\n")
        }
    }

    /// Stale, broken, empty, and this process's own, as in a container where each worker has the id 1.
    @Test(arguments: ["2147483646\n", "", "abc\n", "12", "-5\n", "own"])
    func otherPidfilesAreReplaced(content: String) throws {
        try withFolder { folder in
            let path = "\(folder)/w.pid"
            write(content == "own" ? "\(getpid())\n" : content, to: path)
            let pidfile = try Pidfile(acquiring: path)
            #expect(text(path) == "\(getpid())\n")
            pidfile.release()
            #expect(text(path) == nil)
        }
    }

    @Test func ofTwoThatFindAStalePidfileOneGetsIt() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "swcelery-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = "\(folder)/w.pid"
        write("2147483646\n", to: path)
        let lock = SystemFile.open(folder, O_RDONLY | O_DIRECTORY)
        #expect(flock(lock, LOCK_EX) == 0)
        let second = Task.detached { Result { try Pidfile(acquiring: path) } }
        try await Task.sleep(for: .milliseconds(100))
        // The first one was faster, and is alive.
        write("\(getppid())\n", to: path)
        close(lock)
        let failure = await #expect(throws: CommandFailure.self) { try await second.value.get() }
        #expect(failure?.status.code == 73)
        #expect(text(path) == "\(getppid())\n")
    }

    @Test func aPidfileOfSomebodyElseIsLeftAloneAtTheEnd() throws {
        try withFolder { folder in
            let path = "\(folder)/w.pid"
            let pidfile = try Pidfile(acquiring: path)
            write("1\n", to: path)
            pidfile.release()
            #expect(text(path) == "1\n")
        }
    }

    @Test func aPidfileInNoFolderIsAnError() throws {
        let failure = try #require(throws: CommandFailure.self) { try Pidfile(acquiring: "/nonexistent/w.pid") }
        #expect(failure.status == .failure)
    }

    // MARK: Log

    @Test func aLogThatWasMovedIsBegunAnew() throws {
        try withFolder { folder in
            let path = "\(folder)/w.log"
            let log = try LogFile(path: path, takesStandardError: false)
            log.write(Array("one\n".utf8))
            try FileManager.default.moveItem(atPath: path, toPath: "\(path).1")
            log.write(Array("two\n".utf8))
            #expect(text("\(path).1") == "one\n")
            #expect(text(path) == "two\n")
            // `copytruncate`: the same file, cut to nothing.
            #expect(truncate(path, 0) == 0)
            log.write(Array("three\n".utf8))
            #expect(text(path) == "three\n")
        }
    }

    @Test func aLogThatCannotBeWrittenIsAnError() {
        #expect(throws: CommandFailure.self) { try LogFile(path: "/nonexistent/w.log", takesStandardError: false) }
    }

    @Test(arguments: [
        ("%n.log", "w.log"), ("%h/%p", "box.example.org/w@box.example.org"), ("%d", "example.org"), ("%i%I", "0"),
        ("100%%", "100%"),
    ])
    func pathsHaveTheNodesName(template: String, expected: String) throws {
        let node = try NodeName.option("w@box.example.org")
        #expect(try NodeFilePath.expand(template, node: node) == expected)
    }

    @Test func pathsOfChildrenHaveTheirNumber() throws {
        let node = try NodeName.option("w@box")
        #expect(try NodeFilePath.expand("%n%I.log", node: node, process: 3) == "w-3.log")
        #expect(try NodeFilePath.expand("%n-%i.log", node: node, process: 3) == "w-3.log")
        #expect(throws: OptionError.self) { try NodeFilePath.expand("%z", node: node) }
        #expect(throws: OptionError.self) { try NodeFilePath.expand("%", node: node) }
    }

    // MARK: Process

    @Test func masksAreOctalWithALeadingZero() throws {
        #expect(try FileModeMask(parsing: "022").bits == 18)
        #expect(try FileModeMask(parsing: "22").bits == 22)
        #expect(throws: OptionError.self) { try FileModeMask(parsing: "01000") }
        #expect(throws: OptionError.self) { try FileModeMask(parsing: "rwx") }
    }

    @Test func rightsThatCannotBeGivenUpAreAnError() throws {
        let user = try #require(throws: CommandFailure.self) { try Privileges.drop(user: "no such user", group: nil) }
        #expect(user.status == .usage)
        let group = try #require(throws: CommandFailure.self) { try Privileges.drop(user: nil, group: "no such group") }
        #expect(group.status == .usage)
        // Who has them already has nothing to give up.
        try Privileges.drop(user: "\(getuid())", group: "\(getgid())")
    }

    @Test func anExecutableByARelativePathIsFoundFromAnotherFolder() {
        #expect(ProcessStart(name: "./w", arguments: [], folder: "/srv").executable == "/srv/./w")
        #expect(ProcessStart(name: "/bin/w", arguments: [], folder: "/srv").executable == "/bin/w")
        #expect(ProcessStart(name: "w", arguments: [], folder: "/srv").executable == "w")
    }

    @Test func theManagerIsToldWhereItListens() {
        let silent = ServiceNotifier(CommandEnvironment(["WATCHDOG_USEC": "2000000"]), process: 7)
        #expect(silent.watchdogInterval == nil)
        func interval(_ variables: [String: String]) -> Duration? {
            ServiceNotifier(CommandEnvironment(variables.merging(["NOTIFY_SOCKET": "/nonexistent"]) { $1 }), process: 7)
                .watchdogInterval
        }
        #expect(interval(["WATCHDOG_USEC": "2000000"]) == .seconds(1))
        #expect(interval(["WATCHDOG_USEC": "2000000", "WATCHDOG_PID": "7"]) == .seconds(1))
        #expect(interval(["WATCHDOG_USEC": "2000000", "WATCHDOG_PID": "8"]) == nil)
        #expect(interval([:]) == nil)
        #expect(swc_notify("/nonexistent", "READY=1") != 0)
        #expect(swc_notify("relative", "READY=1") == EINVAL)
    }
}
