import Testing

@testable import CeleryCommandLine

@Suite struct CommandEnvironmentTests {
    @Test func anEmptyVariableIsAbsent() {
        let variables = CommandEnvironment(["CELERY_BROKER_URL": "", "NO_COLOR": "1"])
        #expect(variables[.broker] == nil)
        #expect(variables[.noColor] == "1")
    }

    @Test func aBadValueNamesTheVariable() throws {
        let variables = CommandEnvironment(["CELERY_WORKER_CONCURRENCY": "many"])
        let failure = try #require(throws: CommandFailure.self) {
            try variables.value(.workerConcurrency, parsedBy: Concurrency.init(parsing:))
        }
        #expect(failure.status == .usage)
        #expect(failure.message.contains("CELERY_WORKER_CONCURRENCY"))
        #expect(failure.message.contains("'many'"))
    }

    @Test func anAbsentVariableIsNoValue() throws {
        #expect(try CommandEnvironment([:]).value(.workerPool, parsedBy: PoolName.init(parsing:)) == nil)
    }
}
