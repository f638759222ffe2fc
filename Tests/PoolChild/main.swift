import CeleryWorker
import FoundationEssentials
import PoolTasks

// What a worker under test starts as its children.
var registry = TaskRegistry()
PoolTasks.register(in: &registry)
await PoolChild.runIfStarted(registry: registry)
// Otherwise it is a worker itself, for the test that kills one; or it stands for a program that knows nothing of being a
// child, and lives on without a word.
if let path = ProcessInfo.processInfo.environment[LoneWorker.variable] {
    try await LoneWorker.run(registry: registry, writingPidsTo: path)
}
while true { try await Task.sleep(for: .seconds(3_600)) }
