import AMQP
import Celery
import CeleryProtocol
import Synchronization

/// A child process as its worker sees it: what goes over the socket, and how it ends.
///
/// Frames are read on the loop's thread; they are written by whoever has one, without waiting. A run is accepted when the
/// child says so, right before the body: as what it has written survives it, the worker knows of every body that began.
final class ChildProcess: Sendable {
    /// What a slot hears of its run.
    enum RunEvent: Sendable {
        case question(number: UInt64, ChildFrame.Question)
        case ended(TaskOutcome)
        /// The child has died; and whether the body had begun.
        case lost(ProcessExit, hadBegun: Bool)
    }

    private struct Run {
        let number: UInt64
        let taskID: String
        var hasBegun = false
        var events: [RunEvent] = []
        var waiter: CheckedContinuation<RunEvent, Never>?
    }

    private struct State {
        var input: FrameBuffer
        /// Written frames that the socket has not taken yet.
        var output: [UInt8] = []
        var isUp = false
        var isEnding = false
        var tasks = 0
        var run: Run?
        var socketToken: UInt64?
        var exitToken: UInt64?
        var hasHungUp = false
        var exit: ProcessExit?
        var damage: String?
        var killReason: String?
    }

    let name: String
    let handle: ChildHandle
    /// When it was started.
    let start = ContinuousClock.now
    /// Opens when the child is ready, or has ended before.
    let up = Gate<Bool>()
    /// Opens when the child has ended and was collected.
    let exited = Gate<ProcessExit>()
    private let loop: ChildLoop
    private let state: Mutex<State>

    /// How much one turn of the loop reads of one child.
    private static let readSize = 64 << 10

    /// Takes over a child that was started.
    init(name: String, handle: ChildHandle, loop: ChildLoop, maxPayload: Int) {
        self.name = name
        self.handle = handle
        self.loop = loop
        state = Mutex(State(input: FrameBuffer(maxPayload: maxPayload)))
    }

    var pid: Int { Int(handle.pid) }

    /// Whether it can be given a task.
    var isUsable: Bool { state.withLock { $0.isUp && !$0.isEnding && $0.exit == nil && !$0.hasHungUp } }

    /// How many tasks it was given so far.
    var taskCount: Int { state.withLock { $0.tasks } }

    /// Whether nobody has told it to end.
    var isExpectedToLive: Bool { state.withLock { !$0.isEnding } }

    /// What the child has sent that cannot be read; nil where all could.
    var damage: String? { state.withLock { $0.damage } }

    /// Why the child was killed, where somebody has said so.
    var killReason: String? { state.withLock { $0.killReason } }

    /// Whether it runs a task.
    var isBusy: Bool { state.withLock { $0.run != nil } }

    /// The state of the moment, for people.
    var status: PoolStatus.Child {
        state.withLock { state in
            let phase: PoolStatus.Phase =
                if state.isEnding || state.exit != nil {
                    .ending
                } else if !state.isUp {
                    .starting
                } else {
                    state.run == nil ? .idle : .busy
                }
            return PoolStatus.Child(pid: pid, phase: phase, tasks: state.tasks, taskID: state.run?.taskID)
        }
    }

    /// Begins to listen to the child.
    func open(_ setup: ChildSetup) {
        let socket = loop.watch(handle.stream.descriptor) { self.socketIsReady() }
        let exit = handle.exitWatch.flatMap { loop.watch($0) { self.exitIsReady() } }
        state.withLock { state in
            state.socketToken = socket
            state.exitToken = exit
        }
        write(.setup(setup))
        // Without a place in the poll nothing would ever be heard of it.
        if socket == nil || (exit == nil && handle.exitWatch != nil) { hangUp("it cannot be watched") }
    }
}

// MARK: - Runs

extension ChildProcess {
    /// Gives a task to the child.
    func begin(_ order: WorkerFrame.TaskOrder, taskID: String) {
        state.withLock { state in
            state.tasks += 1
            state.run = Run(number: order.run, taskID: taskID)
            // Its end may have been before.
            if let exit = state.exit { state.run?.events.append(.lost(exit, hadBegun: false)) }
        }
        write(.task(order))
    }

    /// What happens next in the run; nothing comes after its end.
    func nextEvent() async -> RunEvent {
        await withCheckedContinuation { continuation in
            let event = state.withLock { state -> RunEvent? in
                guard let run = state.run else { return .lost(ProcessExit(status: .unknown), hadBegun: true) }
                guard run.events.isEmpty else { return state.run?.events.removeFirst() }
                state.run?.waiter = continuation
                return nil
            }
            if let event { continuation.resume(returning: event) }
        }
    }

    /// Lets go of a run that has ended.
    func endRun() {
        let left = state.withLock { state in
            defer { state.run = nil }
            return state.run?.events ?? []
        }
        // Of a task that the body has left behind.
        for case .question(let number, _) in left { refuse(number) }
    }

    private func refuse(_ question: UInt64) {
        answer(question, .failed(code: CeleryError.Code.closed.description, message: "the run has ended"))
    }

    /// Tells the body of a run to end.
    func cancel(_ run: UInt64, _ reason: Interruption.Reason) { write(.cancel(run: run, reason)) }

    /// Answers a question of the body.
    func answer(_ number: UInt64, _ answer: WorkerFrame.Answer) { write(.answer(number: number, answer)) }

    private func report(_ event: RunEvent) {
        let waiter = state.withLock { Self.report(event, &$0) }
        waiter?.resume(returning: event)
    }

    /// The one who waits for the event; nil where it was put in line.
    private static func report(_ event: RunEvent, _ state: inout State) -> CheckedContinuation<RunEvent, Never>? {
        guard let waiter = state.run?.waiter else {
            state.run?.events.append(event)
            return nil
        }
        state.run?.waiter = nil
        return waiter
    }
}

// MARK: - Ending

extension ChildProcess {
    /// Lets the child end by itself: it has no task.
    func stop() {
        state.withLock { $0.isEnding = true }
        write(.stop)
    }

    /// Sends a signal that is to end the child.
    func terminate(_ signal: Int32) {
        state.withLock { state in
            state.isEnding = true
            if state.exit == nil { handle.send(signal: signal) }
        }
    }

    /// Kills the child and what it has started.
    func kill(because reason: String? = nil) {
        state.withLock { state in
            state.isEnding = true
            state.killReason = state.killReason ?? reason
            if state.exit == nil { handle.kill() }
        }
    }

    /// The child's resident memory in KiB; nil where that is not known.
    var residentMemory: Int? { state.withLock { $0.exit == nil ? handle.residentMemory : nil } }
}

// MARK: - Writing

extension ChildProcess {
    private func write(_ frame: WorkerFrame) {
        let bytes = frame.encoded()
        state.withLock { state in
            guard state.exit == nil, !state.hasHungUp else { return }
            let wasWaiting = !state.output.isEmpty
            if wasWaiting { return state.output.append(contentsOf: bytes) }
            let rest = writeNow(bytes)
            guard rest < bytes.count else { return }
            state.output = Array(bytes[rest...])
            if let token = state.socketToken { loop.watchWriting(handle.stream.descriptor, token, true) }
        }
    }

    /// Writes what the socket takes; answers up to where.
    private func writeNow(_ bytes: [UInt8]) -> Int {
        var offset = 0
        while offset < bytes.count {
            switch handle.stream.write(bytes, from: offset) {
            case .done(let count): offset += count
            case .wouldBlock: return offset
            // It has died, of which reading tells.
            case .end: return bytes.count
            }
        }
        return offset
    }

    private func flush() {
        state.withLock { state in
            guard !state.output.isEmpty, !state.hasHungUp else { return }
            let rest = writeNow(state.output)
            state.output = rest < state.output.count ? Array(state.output[rest...]) : []
            guard state.output.isEmpty, let token = state.socketToken else { return }
            loop.watchWriting(handle.stream.descriptor, token, false)
        }
    }
}

// MARK: - Reading

extension ChildProcess {
    private func socketIsReady() {
        flush()
        readFrames(whole: false)
        // Where the system tells of ends, that comes as well.
        if state.withLock({ $0.hasHungUp }) { collect() }
    }

    private func exitIsReady() {
        readFrames(whole: true)
        hangUp(nil)
        collect()
    }

    /// Reads one piece, or everything that is there.
    private func readFrames(whole: Bool) {
        var buffer = [UInt8](repeating: 0, count: Self.readSize)
        while true {
            switch state.withLock({ $0.hasHungUp }) ? .wouldBlock : handle.stream.read(into: &buffer) {
            case .done(let count):
                take(buffer[..<count])
                if count < buffer.count, !whole { return }
            case .wouldBlock: return
            case .end: return hangUp(nil)
            }
            if !whole { return }
        }
    }

    private func take(_ bytes: ArraySlice<UInt8>) {
        do throws(FrameBuffer.Damaged) {
            state.withLock { $0.input.append(bytes) }
            while let frame = try nextFrame() { handle(try ChildFrame(frame)) }
        } catch {
            hangUp(error.reason)
        }
    }

    private func nextFrame() throws(FrameBuffer.Damaged) -> FrameBuffer.Frame? {
        try state.withLock { state throws(FrameBuffer.Damaged) in try state.input.next() }
    }

    private func handle(_ frame: ChildFrame) {
        switch frame {
        case .up(ChildFrame.version):
            state.withLock { $0.isUp = true }
            up.open(true)
        case .up(let version): hangUp("it speaks version \(version) of the pool's protocol, not \(ChildFrame.version)")
        case .accepted(let run): state.withLock { if $0.run?.number == run { $0.run?.hasBegun = true } }
        case .result(let run, let outcome): if isCurrent(run) { report(.ended(outcome)) }
        case .question(let run, let number, let question):
            if isCurrent(run) {
                report(.question(number: number, question))
            } else {
                refuse(number)
            }
        }
    }

    private func isCurrent(_ run: UInt64) -> Bool { state.withLock { $0.run?.number == run } }

    /// Ends the conversation: the child has closed its end, or what it says makes no sense.
    ///
    /// A child that lives on can do nothing of use any more.
    private func hangUp(_ damage: String?) {
        let isNew = state.withLock { state -> Bool in
            guard !state.hasHungUp else { return false }
            state.hasHungUp = true
            state.damage = state.damage ?? damage
            state.output = []
            if let token = state.socketToken { loop.forget(handle.stream.descriptor, token) }
            state.socketToken = nil
            // What it was told to do, or has done, counts for its exit status: this comes too late to change that.
            if state.exit == nil { handle.send(signal: ProcessExit.killSignal) }
            return true
        }
        if isNew, state.withLock({ $0.exitToken == nil && $0.exit == nil }) { collectLater() }
    }

    private func collect() {
        let collected = state.withLock { state -> ProcessExit? in
            guard state.exit == nil, let status = handle.collect() else { return nil }
            let exit = ProcessExit(status: status)
            state.exit = exit
            if let exitWatch = handle.exitWatch, let token = state.exitToken { loop.forget(exitWatch, token) }
            state.exitToken = nil
            handle.close()
            return exit
        }
        guard let collected else { return }
        let hadBegun = state.withLock { $0.run?.hasBegun ?? false }
        report(.lost(collected, hadBegun: hadBegun))
        up.open(false)
        exited.open(collected)
    }

    /// Without word from the system: looks again until the process has ended.
    private func collectLater() {
        Alarm.after(.milliseconds(10)) {
            self.collect()
            if self.exited.value == nil { self.collectLater() }
        }
    }
}
