import Testing

@testable import CeleryCommandLine

@Suite struct ArgumentTests {
    @Test(arguments: [
        (["worker", "-c4"], ["worker", "-c", "4"]),
        (["-bamqp://h", "worker", "-Qabq,C", "-lINFO"], ["-b", "amqp://h", "worker", "-Q", "abq,C", "-l", "INFO"]),
        (["call", "x", "-k", "-c4"], ["call", "x", "-k", "-c4"]),
        (["worker", "-c=4", "-q", "--queues=a"], ["worker", "-c=4", "-q", "--queues=a"]),
        (["call", "--", "-c4"], ["call", "--", "-c4"]),
        (["worker", "-Q"], ["worker", "-Q"]),
        (["-", ""], ["-", ""]),
    ])
    func joinedValuesAreSeparated(arguments: [String], expected: [String]) {
        #expect(JoinedOptions.separated(arguments) == expected)
    }

    @Test func theApplicationIsTakenOutOfTheGlobalOptions() {
        let leading = LeadingOptions(parsing: ["-q", "-b", "amqp://h", "-A", "./app", "worker", "-A", "x"])
        #expect(leading.application == "./app")
        #expect(leading.remaining == ["-q", "-b", "amqp://h", "worker", "-A", "x"])
    }

    @Test(arguments: [["--app=./app"], ["--app", "./app"], ["-A./app"], ["--workdir", "/", "-A", "./app"]])
    func spellingsOfTheApplication(options: [String]) {
        let leading = LeadingOptions(parsing: options + ["call", "x"])
        #expect(leading.application == "./app")
        #expect(leading.remaining == ["call", "x"])
    }

    @Test func theWorkingDirectoryIsTakenOutToo() {
        #expect(LeadingOptions(parsing: ["--workdir=/tmp", "worker"]).workingDirectory == "/tmp")
        #expect(LeadingOptions(parsing: ["worker", "--workdir=/tmp"]).workingDirectory == nil)
    }

    @Test func aValueThatLooksLikeTheOptionStaysAValue() {
        let leading = LeadingOptions(parsing: ["-b", "-A", "worker"])
        #expect(leading.application == nil)
        #expect(leading.remaining == ["-b", "-A", "worker"])
    }

    @Test(arguments: [["-A"], ["--workdir"], ["--"], []])
    func incompleteOptionsAreLeftToTheParser(arguments: [String]) {
        #expect(LeadingOptions(parsing: arguments).remaining == arguments)
    }

    @Test func aMissingApplicationIsAnErrorOfUsage() throws {
        let loader = ApplicationLoader(name: "/no/such/worker")
        let failure = try #require(throws: CommandFailure.self) { try loader.execute(arguments: ["worker"]) }
        #expect(failure.status == .usage)
        #expect(failure.message.contains("/no/such/worker"))
        #expect(failure.message.contains("there is no such executable"))
    }
}
