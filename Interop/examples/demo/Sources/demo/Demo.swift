import Celery
import FoundationEssentials
import Logging
import SharedTasks

/// The Swift client of the demonstration: calls Python's tasks, and goes through both languages in one chain.
@main
struct Demo {
    static func main() async throws {
        var logger = Logger(label: "demo")
        logger.logLevel = .warning
        let configuration = CeleryConfiguration(environment: ProcessInfo.processInfo.environment)
        var steps = Steps()
        try await withCeleryClient(configuration: configuration, logger: logger) { client in
            await run(&steps, client)
        }
        try steps.writeSummary()
    }

    private static func run(_ steps: inout Steps, _ client: CeleryClient) async {
        let python = TaskOptions(queue: "python")
        let swift = TaskOptions(queue: "celery")

        await steps.step("Swift send(add(2, 3)).value() is answered by Python") {
            try expect(try await client.send(DemoTasks.add(2, 3), options: python).value(timeout: .seconds(30)), 5)
        }
        await steps.step("a Python ValueError is a TaskFailure in Swift") {
            let handle = try await client.send(DemoTasks.fail("no such file"), options: python)
            do {
                _ = try await handle.value(timeout: .seconds(30))
                throw Unexpected("the call succeeded")
            } catch let failure as TaskFailure {
                try expect(failure.type, "ValueError")
                try expect(failure.message, "no such file")
                guard failure.traceback?.contains("Traceback") == true else {
                    throw Unexpected("there is no traceback")
                }
            }
        }
        await steps.step("the progress of a Python task, as it goes") {
            let handle = try await client.send(DemoTasks.progress(5, 0.05), options: python)
            var seen: [Int] = []
            for try await update in handle.states where update.state == .custom("PROGRESS") {
                seen.append(update.info["current"]?.intValue ?? 0)
            }
            try expect(seen, [1, 2, 3, 4, 5])
            try expect(try await handle.value(timeout: .seconds(30)), 5)
        }
        await steps.step("a Python task that is retried twice") {
            let handle = try await client.send(DemoTasks.retry(2, 0.1), options: python)
            try expect(try await handle.value(timeout: .seconds(30)), 2)
        }
        await steps.step("one chain: Python, Swift, Python, Swift") {
            let chain = Chain<JSONValue>([
                Signature("demo.add", args: [2, 3], options: python),
                Signature("demo.mul", args: [10], options: swift),
                Signature("demo.add", args: [1], options: python),
                Signature("demo.mul", args: [2], options: swift),
            ])
            try expect(try await client.send(chain).value(timeout: .seconds(30)), 102)
        }
        await burst(&steps, client, python)
    }

    private static func burst(_ steps: inout Steps, _ client: CeleryClient, _ options: TaskOptions) async {
        let count = 2_000
        await steps.step("a burst of \(count) tasks from Swift to Python", total: count) { progress in
            try await withThrowingTaskGroup(of: (Int, Int).self) { group in
                for number in 0..<count {
                    let handle = try await client.send(DemoTasks.add(number, number), options: options)
                    group.addTask { (number, try await handle.value(timeout: .seconds(120))) }
                }
                for try await (number, sum) in group {
                    try expect(sum, 2 * number)
                    progress.advance()
                }
            }
        }
    }
}
