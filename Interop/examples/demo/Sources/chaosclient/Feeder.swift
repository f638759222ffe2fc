import Celery
import FoundationEssentials
import SharedTasks

/// Sends numbered tasks at a pace, a bounded number in flight, and sees every one of them through.
struct Feeder: Sendable {
    /// How long a task without a result holds its place; it is waited for longer.
    private static let patience: Duration = .seconds(15)
    /// How long the last results are waited for.
    private static let farewell: Duration = .seconds(90)
    private static let pauseAfterError: Duration = .milliseconds(200)

    let client: CeleryClient
    let plan: Plan

    /// Sends until the standard input ends, and returns when nothing is in flight or the last results are overdue.
    func run() async {
        await withTaskGroup { group in
            group.addTask { await feed() }
            group.addTask { await waitForOverdue() }
            await group.next()
            group.cancelAll()
        }
    }

    private func feed() async {
        let places = Places(plan.inFlight)
        await withDiscardingTaskGroup { group in
            var number = 0
            while !StandardInput.hasEnded {
                await places.take()
                number += 1
                group.addTask { [number] in await see(number, through: places) }
                try? await Task.sleep(for: .seconds(1 / plan.rate))
            }
            plan.journal.write("finishing", "\(number)")
        }
    }

    private func waitForOverdue() async {
        while !StandardInput.hasEnded, !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(500))
        }
        try? await Task.sleep(for: Self.farewell)
    }

    private func see(_ number: Int, through places: Places) async {
        let task = Numbered(label: "s\(number)", id: UUID().uuidString.lowercased())
        guard let handle = await send(task, milliseconds: plan.milliseconds(of: number)) else { return }
        do {
            let value: String
            do {
                defer { Task { await places.give() } }
                value = try await handle.value(timeout: Self.patience)
            } catch let error as CeleryError where error.code == .timeout {
                plan.journal.write("late", task.label)
                value = try await handle.value()
            }
            plan.journal.write(value == task.label ? "result" : "wrong", task.label)
        } catch let error as CeleryError where error.code == .cancelled {
            plan.journal.write("lost", task.label)
        } catch {
            plan.journal.write("failed", task.label, "\(error)")
        }
    }

    /// Sends a task until the broker has confirmed it, under the same id each time; nil when it is too late for that.
    private func send(_ task: Numbered, milliseconds: Int) async -> TaskHandle<String>? {
        let options = TaskOptions(queue: plan.queue, taskID: task.id)
        plan.journal.write("sent", task.label, task.id)
        while !Task.isCancelled {
            do {
                let handle = try await client.send(ChaosTasks.record(task.label, milliseconds), options: options)
                plan.journal.write("confirmed", task.label)
                return handle
            } catch {
                plan.journal.write("refused", task.label, "\(error)")
                try? await Task.sleep(for: Self.pauseAfterError)
            }
        }
        return nil
    }
}

/// A task by its number and its id.
private struct Numbered {
    let label: String
    let id: String
}
