import NIOCore
import Synchronization

/// Asks whether a worker lives, once at a time whoever wants to know.
final class LifeProbe: Sendable {
    typealias Answer = @Sendable (_ isAlive: Bool) -> Void

    private struct State {
        var isAsking = false
        var last = 0
        var waiting: [Int: Answer] = [:]
    }

    private let patience: TimeAmount
    private let question: @Sendable (_ answered: @escaping @Sendable () -> Void) -> Void
    private let state = Mutex(State())

    /// Makes a probe.
    ///
    /// - Parameters:
    ///   - patience: how long an answer may take.
    ///   - question: asks; what it is given is called by who lives.
    init(
        patience: TimeAmount,
        question: @escaping @Sendable (_ answered: @escaping @Sendable () -> Void) -> Void
    ) {
        self.patience = patience
        self.question = question
    }

    /// Calls the closure once: when the worker answers, or when that has taken too long.
    func ask(on loop: any EventLoop, _ answer: @escaping Answer) {
        let (number, asks) = state.withLock { state in
            state.last += 1
            state.waiting[state.last] = answer
            defer { state.isAsking = true }
            return (state.last, !state.isAsking)
        }
        loop.scheduleTask(in: patience) { self.giveUp(number) }
        if asks { question { self.answered() } }
    }

    private func answered() {
        let waiting = state.withLock { state in
            defer {
                state.isAsking = false
                state.waiting = [:]
            }
            return state.waiting
        }
        for (_, answer) in waiting { answer(true) }
    }

    private func giveUp(_ number: Int) { state.withLock { $0.waiting.removeValue(forKey: number) }?(false) }
}
