import Celery
import CeleryWorker

/// Tasks that are many at a time.
struct CrowdTasks {
    private let crowd = Crowd()

    func register(in tasks: inout TaskRegistry) {
        tasks.register("crowd.meet") { [crowd] (count: Int) in await crowd.meet(count) }
    }
}

/// A place where those who come wait for each other.
private actor Crowd {
    private var waiting: [CheckedContinuation<Void, Never>] = []

    /// Waits until so many are here.
    func meet(_ count: Int) async {
        guard waiting.count + 1 < count else {
            for other in waiting { other.resume() }
            return waiting.removeAll()
        }
        await withCheckedContinuation { waiting.append($0) }
    }
}
