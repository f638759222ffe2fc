import Celery
import CeleryProtocol
import Testing

@testable import CeleryWorker

@Suite("Exceptions of tasks")
struct ExceptionMappingTests {
    enum Trouble: Error {
        case tooLarge(Int)
    }

    @Test("a TaskError keeps its names and arguments")
    func taskError() {
        let error = TaskError(type: "ValueError", arguments: ["bad", ["code": 7]])
        let info = ExceptionInfo(mapping: error)

        #expect(info == ExceptionInfo(type: "ValueError", module: "builtins", arguments: ["bad", ["code": 7]]))
        #expect(error.description == "ValueError('bad', {'code': 7})")
    }

    @Test("a Swift error is reported under its type and module")
    func swiftError() {
        let info = ExceptionInfo(mapping: Trouble.tooLarge(3))

        #expect(info.type == "ExceptionMappingTests.Trouble")
        #expect(info.module == "CeleryWorkerTests")
        #expect(info.arguments == ["tooLarge(3)"])
    }

    @Test("a type inside of a function has a readable name")
    func localError() {
        struct Local: Error {}
        let info = ExceptionInfo(mapping: Local())

        #expect(info.type.hasSuffix("Local"))
        #expect(!info.type.contains("("))
        #expect(info.module == "CeleryWorkerTests")
    }

    @Test("tracebacks have Python's shape")
    func traceback() {
        let error = TaskError(type: "ValueError", "bad", file: "Proj/Tasks.swift", line: 12)
        let text = Traceback.text(of: error, as: ExceptionInfo(error), task: "proj.f")

        #expect(
            text == """
                Traceback (most recent call last):
                  File "Proj/Tasks.swift", line 12, in proj.f
                ValueError: bad

                """
        )
    }

    @Test(
        "the last line is Python's",
        arguments: [
            (ExceptionInfo(type: "ValueError", module: "builtins", arguments: []), "ValueError"),
            (ExceptionInfo(type: "ValueError", module: "builtins", arguments: ["a", 1]), "ValueError: ('a', 1)"),
            (ExceptionInfo(type: "Retry", module: "celery.exceptions", arguments: ["x"]), "celery.exceptions.Retry: x"),
        ]
    )
    func lastLine(exception: ExceptionInfo, expected: String) {
        #expect(Traceback.lastLine(of: exception) == expected)
    }

    @Test("messages that cannot be run are reported in kombu's and Celery's terms")
    func protocolErrors() {
        #expect(ExceptionInfo(ProtocolError(.contentDisallowed, "no")).type == "ContentDisallowed")
        #expect(ExceptionInfo(ProtocolError(.malformedJSON, "no")).type == "DecodeError")
        #expect(ExceptionInfo(ProtocolError(.notATriple, "no")).type == "InvalidTaskError")
    }

    @Test("a retry says when and why, as Celery does")
    func retryReason() {
        let cause = ExceptionInfo(type: "ValueError", module: "builtins", arguments: ["boom"])

        #expect(RetryReason(delay: .seconds(600), eta: nil, cause: cause).text == "Retry in 600s: ValueError('boom')")
        #expect(RetryReason(delay: .milliseconds(500), eta: nil, cause: nil).text == "Retry in 0.5s")
    }
}
