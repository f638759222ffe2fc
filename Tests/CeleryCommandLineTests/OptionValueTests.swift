import Logging
import Testing

@testable import CeleryCommandLine

@Suite struct OptionValueTests {
    @Test(arguments: ["tasks", "threads", "gevent", "eventlet", "Threads"])
    func aliasesOfTheTasksPool(name: String) throws {
        #expect(try PoolName(parsing: name) == .tasks)
    }

    @Test func soloIsAPoolOfItsOwn() throws {
        #expect(try PoolName(parsing: "solo") == .solo)
    }

    @Test(arguments: ["prefork", "processes"])
    func aliasesOfThePoolOfProcesses(name: String) throws {
        #expect(try PoolName(parsing: name) == .processes)
    }

    @Test func anUnknownPoolIsRefused() {
        #expect(throws: OptionError.self) { try PoolName(parsing: "custom") }
    }

    @Test(arguments: [
        ("8", Concurrency.fixed(8)), ("auto", .auto), ("AUTO", .auto), ("0", .processors), ("65535", .fixed(65535)),
    ])
    func concurrency(text: String, expected: Concurrency) throws {
        #expect(try Concurrency(parsing: text) == expected)
    }

    @Test(arguments: ["-1", "x", "", "1.5", "65536", "99999999999999999999"])
    func badConcurrency(text: String) {
        #expect(throws: OptionError.self) { try Concurrency(parsing: text) }
    }

    @Test func autoHeedsTheQuotaAndTheDefaultDoesNot() {
        let budget = CPUBudget(processors: 8, quota: 2.5)
        #expect(Concurrency.auto.resolved(budget) == 3)
        #expect(Concurrency.processors.resolved(budget) == 8)
        #expect(Concurrency.auto.resolved(CPUBudget(processors: 8, quota: nil)) == 8)
        #expect(Concurrency.auto.resolved(CPUBudget(processors: 2, quota: 1e300)) == 2)
        #expect(Concurrency.auto.resolved(CPUBudget(processors: 2, quota: 0.1)) == 1)
    }

    @Test(arguments: [
        ("debug", Logger.Level.debug), ("Info", .info), ("WARNING", .warning), ("error", .error),
        ("CRITICAL", .critical),
        ("fatal", .critical),
    ])
    func logLevels(text: String, expected: Logger.Level) throws {
        #expect(try LogLevelName(parsing: text).level == expected)
    }

    @Test func anUnknownLogLevelNamesTheKnownOnes() throws {
        let error = try #require(throws: OptionError.self) { try LogLevelName(parsing: "loud") }
        #expect(error.description.contains("'WARNING'"))
    }

    @Test func queueNamesAreTrimmedAndUnique() throws {
        #expect(try QueueNames(parsing: "celery, low-priority ,,celery").names == ["celery", "low-priority"])
    }

    @Test(arguments: ["", " , ", String(repeating: "q", count: 256)])
    func badQueueNames(text: String) {
        #expect(throws: OptionError.self) { try QueueNames(parsing: text) }
    }

    @Test(arguments: [("0", 0), ("4", 4)])
    func prefetchMultiplier(text: String, expected: Int) throws {
        #expect(try PrefetchMultiplier(parsing: text).number == expected)
    }

    @Test(arguments: ["-1", "x", "65536"])
    func badPrefetchMultiplier(text: String) {
        #expect(throws: OptionError.self) { try PrefetchMultiplier(parsing: text) }
    }
}
