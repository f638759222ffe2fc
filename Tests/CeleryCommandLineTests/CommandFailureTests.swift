import Celery
import CeleryWorker
import Testing

@testable import CeleryCommandLine

@Suite struct CommandFailureTests {
    @Test func aBrokerThatCannotBeReachedIsUnavailable() {
        let failure = CommandFailure(CeleryError(.connection, "refused"))
        #expect(failure.status.code == 69)
        #expect(failure.message.contains("Could not reach the message broker: refused"))
    }

    @Test(arguments: [
        (CeleryError.Code.invalidConfiguration, Int32(2)), (.invalidOption, 2), (.timeout, 1), (.unroutable, 1),
    ])
    func otherErrorsHaveTheirCodes(code: CeleryError.Code, status: Int32) {
        #expect(CommandFailure(CeleryError(code, "why")).status.code == status)
        #expect(CommandFailure(CeleryError(code, "why")).message == "why")
    }

    @Test func aFailedTaskShowsExceptionAndTraceback() {
        let failure = CommandFailure(
            TaskFailure(id: "7", type: "ValueError", message: "no good", traceback: "Traceback:\n  here\n")
        )
        #expect(failure.status.code == 1)
        #expect(failure.message == "The task 7 ended with FAILURE: ValueError: no good\nTraceback:\n  here\n")
    }

    @Test func aLookUpByIdAloneIsRefusedHonestly() {
        let failure = ResultCommand<ExplainedApplication>.explanation("swcelery")
        #expect(failure.status.code == 69)
        #expect(failure.message.contains("swcelery call <name> --wait"))
        #expect(failure.message.contains("--reply-queue"))
    }

    @Test func whatAResultShows() throws {
        typealias Command = ResultCommand<ExplainedApplication>
        let success = ResultMessage(taskID: "7", state: .success, result: ["a": 1])
        #expect(try Command.text(success, traceback: false) == #"{"a": 1}"#)
        #expect(try Command.text(success, traceback: true) == "The result has no traceback.")
        let failed = try #require(throws: CommandFailure.self) {
            try Command.text(ResultMessage(taskID: "7", state: .failure), traceback: false)
        }
        #expect(failed.status.code == 1)
        let running = try #require(throws: CommandFailure.self) {
            try Command.text(ResultMessage(taskID: "7", state: .custom("PROGRESS"), result: 5), traceback: false)
        }
        #expect(running.status.code == 69)
        #expect(running.message.contains("PROGRESS: 5"))
    }
}

private struct ExplainedApplication: CeleryApplication {
    static func register(_ tasks: inout TaskRegistry) throws {}
}
