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

    @Test(arguments: ["prefork", "processes", "Prefork"])
    func aliasesOfThePoolOfProcesses(name: String) throws {
        #expect(try PoolName(parsing: name) == .processes)
    }

    @Test func autoscaleIsReadAsByCelery() throws {
        #expect(try AutoscaleRange(parsing: "10,3") == AutoscaleRange(parsing: "3, 10"))
        #expect(try AutoscaleRange(parsing: "10,3").maximum == 10)
        #expect(try AutoscaleRange(parsing: "10,3").minimum == 3)
        #expect(try AutoscaleRange(parsing: "5").minimum == 0)
    }

    @Test(arguments: ["", ",", "1,2,3", "a,b", "-1,3", "0", "0,0", "3,"])
    func badAutoscale(text: String) {
        #expect(throws: OptionError.self) { try AutoscaleRange(parsing: text) }
    }

    @Test func forkIsRefusedWithItsReason() throws {
        #expect(try PoolStartMethod(parsing: "spawn") == .spawn)
        let error = try #require(throws: OptionError.self) { try PoolStartMethod(parsing: "fork") }
        #expect(error.description.contains("threads"))
        #expect(throws: OptionError.self) { try PoolStartMethod(parsing: "forkserver") }
    }

    @Test func theOtherValuesOfPoolOptions() throws {
        #expect(try Optimization(parsing: "fair") == .fair)
        #expect(try Optimization(parsing: "default") == .standard)
        #expect(throws: OptionError.self) { try Optimization(parsing: "fast") }
        #expect(throws: OptionError.self) { try PositiveNumber(parsing: "0") }
        #expect(throws: OptionError.self) { try TimeArgument.limit("0") }
        #expect(try TimeArgument.limit("1.5") == .milliseconds(1500))
    }

    @Test func settingsAsArguments() throws {
        #expect(try SettingArgument(parsing: "task_acks_late=1") == SettingArgument(parsing: "Task.Acks_Late=1"))
        #expect(try SettingArgument(parsing: ".concurrency=4").key == "worker_concurrency")
        #expect(try SettingArgument(parsing: "_concurrency=a=b").value == "a=b")
        #expect(throws: OptionError.self) { try SettingArgument(parsing: "extra") }
        #expect(throws: OptionError.self) { try SettingArgument(parsing: "=1") }
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
