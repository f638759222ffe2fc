import CeleryWorker
import PoolTasks

// What a worker under test starts as its children.
var registry = TaskRegistry()
PoolTasks.register(in: &registry)
await PoolChild.runIfStarted(registry: registry)
// Otherwise it stands for a program that knows nothing of being a child: it lives on without a word.
while true { try await Task.sleep(for: .seconds(3_600)) }
