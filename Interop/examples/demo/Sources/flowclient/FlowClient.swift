import Celery
import FoundationEssentials
import Logging

/// Sends workflows of `scenarios/workflows` through the typed canvas, and prints what came of each as one line of JSON.
///
/// `flowclient QUEUE JOURNAL PREFIX`: the queue of the tasks, that of the calls which the test reads, and the prefix of the
/// collectors' queues.
@main
struct FlowClient {
    static func main() async throws {
        let arguments = CommandLine.arguments.dropFirst()
        guard arguments.count == 3 else { throw Usage() }
        let words = Array(arguments)
        var configuration = CeleryConfiguration(environment: ProcessInfo.processInfo.environment)
        configuration.taskDefaultQueue = words[0]
        configuration.chordQueuePrefix = words[2]
        var logger = Logger(label: "flowclient")
        logger.logLevel = .warning
        try await withCeleryClient(configuration: configuration, logger: logger) { client in
            await run(Flows(client: client, journal: words[1]))
        }
    }

    /// Runs all at the same time.
    private static func run(_ flows: Flows) async {
        await withDiscardingTaskGroup { group in
            for (name, flow) in flows.all {
                group.addTask {
                    let line: JSONValue = ["name": .string(name), "outcome": await outcome(of: flow)]
                    print(String(decoding: line.serialized(), as: UTF8.self))
                }
            }
        }
    }

    private static func outcome(of flow: Flows.Flow) async -> JSONValue {
        do {
            return ["value": try await flow()]
        } catch let failure as TaskFailure {
            return ["type": .string(failure.type), "arguments": .array(failure.arguments)]
        } catch {
            return ["type": "not sent", "arguments": [.string("\(error)")]]
        }
    }
}

/// The command line cannot be understood.
struct Usage: Error {}
