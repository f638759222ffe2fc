import AMQP
import AMQPValues
import Celery
import CeleryProtocol
import FoundationEssentials
import Logging
import Testing

@testable import CeleryWorker

@Suite("Process pool: frames")
struct ChildFrameTests {
    private func decoded(_ bytes: [UInt8]) throws -> FrameBuffer.Frame {
        var buffer = FrameBuffer(maxPayload: 1 << 20)
        buffer.append(bytes[...])
        let frame = try buffer.next()
        #expect(buffer.count == 0)
        return try #require(frame)
    }

    private func outcome(_ outcome: TaskOutcome) throws -> TaskOutcome {
        let frame = try ChildFrame(decoded(ChildFrame.result(run: 7, outcome).encoded()))
        guard case .result(7, let read) = frame else { throw FrameBuffer.Damaged(reason: "another frame") }
        return read
    }

    @Test("come out as they went in, however the stream is cut")
    func cuts() throws {
        let frames = [
            ChildFrame.up(version: 1).encoded(), ChildFrame.accepted(run: .max).encoded(),
            ChildFrame.result(run: 3, .success("x")).encoded(), WorkerFrame.stop.encoded(),
        ]
        let stream = Array(frames.joined())
        for size in 1...stream.count {
            var buffer = FrameBuffer(maxPayload: 100)
            var read: [FrameBuffer.Frame] = []
            for start in stride(from: 0, to: stream.count, by: size) {
                buffer.append(stream[start..<min(start + size, stream.count)])
                while let frame = try buffer.next() { read.append(frame) }
            }
            #expect(read.map(\.kind) == frames.map { $0[4] })
            #expect(read.map(\.payload) == frames.map { Array($0[5...]) })
        }
    }

    @Test("are refused before they are read where they are too large")
    func tooLarge() throws {
        var buffer = FrameBuffer(maxPayload: 9)
        buffer.append([10, 0, 0, 0])
        #expect(try buffer.next() == nil)
        buffer.append([1])
        #expect(throws: FrameBuffer.Damaged.self) { try buffer.next() }
    }

    @Test("carry every outcome without loss")
    func outcomes() throws {
        let big: JSONValue = .bigInteger("123456789012345678901")
        let value: JSONValue = ["a": [1, 2.5, .null, true], "b": .bytes([0, 255]), "c": big]
        guard case .success(value) = try outcome(.success(value)) else { throw FrameBuffer.Damaged(reason: "success") }
        guard case .ignore = try outcome(.ignore) else { throw FrameBuffer.Damaged(reason: "ignore") }
        guard case .cancelled = try outcome(.cancelled) else { throw FrameBuffer.Damaged(reason: "cancelled") }
        guard case .reject(let reject) = try outcome(.reject(Reject("ü", requeue: true))) else {
            throw FrameBuffer.Damaged(reason: "reject")
        }
        #expect(reject.reason == "ü")
        #expect(reject.requeue)
    }

    @Test("carry failures and retries without loss")
    func failures() throws {
        let exception = ExceptionInfo(type: "A.B", module: nil, arguments: ["x", 1])
        let failure = TaskOutcome.Failure(exception: exception, traceback: "T", isTimeout: true, isExpected: true)
        guard case .failure(let read) = try outcome(.failure(failure)) else {
            throw FrameBuffer.Damaged(reason: "failure")
        }
        #expect(read.exception == exception)
        #expect(read.traceback == "T")
        #expect(read.isTimeout)
        #expect(read.isExpected)

        let after = Duration(secondsComponent: 3, attosecondsComponent: 1)
        let eta = Date(timeIntervalSinceReferenceDate: 1_234.567_891)
        let options = TaskOptions(queue: "other", priority: 3, timeLimit: .seconds(9), headers: ["my": "header"])
        let retry = TaskOutcome.Retrial(
            after: after,
            eta: eta,
            cause: failure,
            args: [1],
            kwargs: ["k": "v"],
            options: options
        )
        guard case .retry(let again) = try outcome(.retry(retry)) else { throw FrameBuffer.Damaged(reason: "retry") }
        #expect(again.after == after)
        #expect(again.eta == eta)
        #expect(again.cause?.exception == exception)
        #expect(again.args == [1])
        #expect(again.kwargs == ["k": "v"])
        #expect(again.options == options)
        guard case .retry(let empty) = try outcome(.retry(TaskOutcome.Retrial())) else {
            throw FrameBuffer.Damaged(reason: "retry")
        }
        #expect(empty.after == nil && empty.eta == nil && empty.args == nil && empty.kwargs == nil)
    }

    @Test("fail the task where its value cannot be read")
    func unreadableValue() throws {
        var deep: JSONValue = 1
        for _ in 0..<200 { deep = [deep] }
        guard case .failure(let failure) = try outcome(.success(deep)) else {
            throw FrameBuffer.Damaged(reason: "no failure")
        }
        #expect(failure.exception.type == "EncodeError")
    }

    @Test("carry questions and their answers")
    func questions() throws {
        var options = TaskOptions(countdown: .seconds(2))
        options.queue = "q"
        options.publishTimeout = .seconds(3)
        var signature = Signature("a.b", args: [1], kwargs: ["k": .null])
        signature.declared = DeclaredTask(options: TaskOptions(ignoreResult: true))
        let sent = ChildFrame.question(run: 1, number: 2, .send(signature, options)).encoded()
        guard case .question(1, 2, .send(let readSignature, let readOptions)) = try ChildFrame(decoded(sent)) else {
            throw FrameBuffer.Damaged(reason: "send")
        }
        #expect(readSignature == signature)
        #expect(readSignature.declared?.options == signature.declared?.options)
        #expect(readOptions == options)

        let answers: [WorkerFrame.Answer] = [
            .done, .failed(code: "closed", message: "x"),
            .sent(id: "i", children: [ResultTuple(id: "g", members: [ResultTuple(id: "m")])]),
        ]
        for answer in answers {
            let bytes = WorkerFrame.answer(number: 9, answer).encoded()
            guard case .answer(9, answer) = try WorkerFrame(decoded(bytes)) else {
                throw FrameBuffer.Damaged(reason: "answer")
            }
        }
    }

    @Test(
        "carry every reason of a cancellation",
        arguments: [
            .softLimit, .connectionLost, .shutdown, .revoked(signal: "SIGINT"), .hardLimit,
        ] as [Interruption.Reason]
    )
    func cancellations(reason: Interruption.Reason) throws {
        guard case .cancel(5, reason) = try WorkerFrame(decoded(WorkerFrame.cancel(run: 5, reason).encoded())) else {
            throw FrameBuffer.Damaged(reason: "cancel")
        }
    }

    @Test("carry the settings of a child")
    func setup() throws {
        var celery = CeleryConfiguration()
        celery.taskAcksLate = true
        celery.taskAcksOnTimeout = false
        celery.taskTimeLimit = .milliseconds(1_500)
        let setup = ChildSetup(hostname: "a@b", logLevel: .debug, maxPayload: 5, celery: celery)
        guard case .setup(let read) = try WorkerFrame(decoded(WorkerFrame.setup(setup).encoded())) else {
            throw FrameBuffer.Damaged(reason: "setup")
        }
        #expect(read.hostname == "a@b" && read.logLevel == .debug && read.maxPayload == 5)
        #expect(read.celery.taskAcksLate)
        #expect(read.celery.taskAcksOnTimeout == false)
        #expect(read.celery.taskAcksOnFailure == nil)
        #expect(read.celery.taskTimeLimit == .milliseconds(1_500))
        #expect(read.celery.taskSoftTimeLimit == nil)
    }

    @Test("are refused where they make no sense, and never crash")
    func malformed() throws {
        let samples = [
            ChildFrame.up(version: 1).encoded(), ChildFrame.accepted(run: 1).encoded(),
            ChildFrame.result(run: 1, .reject(Reject("r"))).encoded(),
            ChildFrame.question(run: 1, number: 2, .state(.started, meta: 1)).encoded(),
            ChildFrame.question(run: 1, number: 2, .send(Signature("t"), TaskOptions())).encoded(),
            WorkerFrame.cancel(run: 1, .softLimit).encoded(), WorkerFrame.answer(number: 1, .done).encoded(),
        ]
        for kind in UInt8.min...UInt8.max {
            _ = try? ChildFrame(FrameBuffer.Frame(kind: kind, payload: []))
            _ = try? WorkerFrame(FrameBuffer.Frame(kind: kind, payload: [0, 1, 2]))
        }
        for sample in samples {
            let payload = Array(sample[5...])
            for length in 0..<payload.count {
                let cut = FrameBuffer.Frame(kind: sample[4], payload: Array(payload[..<length]))
                _ = try? ChildFrame(cut)
                _ = try? WorkerFrame(cut)
                var changed = payload
                changed[length] ^= 0xff
                _ = try? ChildFrame(FrameBuffer.Frame(kind: sample[4], payload: changed))
                _ = try? WorkerFrame(FrameBuffer.Frame(kind: sample[4], payload: changed))
            }
        }
        #expect(throws: FrameBuffer.Damaged.self) { try ChildFrame(FrameBuffer.Frame(kind: 200, payload: [])) }
        #expect(throws: FrameBuffer.Damaged.self) { try ChildFrame(FrameBuffer.Frame(kind: 2, payload: [1])) }
        #expect(throws: FrameBuffer.Damaged.self) { try WorkerFrame(FrameBuffer.Frame(kind: 65, payload: [1])) }
    }
}

@Suite("Process pool: rules")
struct PoolRuleTests {
    private let start = ContinuousClock.now

    @Test("an exit is called what billiard calls it")
    func exits() {
        #expect(ProcessExit(status: .code(3)).description == "exitcode 3")
        #expect(ProcessExit(status: .code(0)).description == "exitcode 0")
        #expect(ProcessExit(status: .signal(9)).description == "signal 9 (SIGKILL)")
        #expect(ProcessExit(status: .signal(11)).description == "signal 11 (SIGSEGV)")
        #expect(ProcessExit(status: .signal(60)).description == "signal 60")
        #expect(ChildHandle.number(ofSignal: "TERM") == 15)
        #expect(ChildHandle.number(ofSignal: "SIGTERM") == 15)
        #expect(ChildHandle.number(ofSignal: "SIGNONE") == nil)
    }

    @Test("a task may bring down its process as often as the limit allows")
    func poison() {
        var guarding = PoisonGuard(limit: 3)
        #expect(guarding.died("a", earlier: 0, now: start) == (1, false))
        #expect(guarding.died("a", earlier: 0, now: start) == (2, false))
        #expect(guarding.died("b", earlier: 0, now: start) == (1, false))
        #expect(guarding.died("a", earlier: 0, now: start) == (3, true))
        #expect(guarding.died("a", earlier: 0, now: start) == (1, false))
        guarding.ended("a")
        #expect(guarding.count == 1)
        // A few deliveries that failed may have been shutdowns and lost connections.
        #expect(guarding.died("c", earlier: 2, now: start) == (1, false))
        #expect(guarding.died("d", earlier: 25, now: start) == (26, true))
        // Whoever has retries for that case has all of them.
        for death in 1...4 { #expect(guarding.died("e", earlier: 0, atLeast: 4, now: start) == (death, death == 4)) }
    }

    @Test("without a limit nothing is counted")
    func harmless() {
        var guarding = PoisonGuard(limit: 0)
        for _ in 0..<10 { #expect(guarding.died("a", earlier: 50, now: start) == (1, false)) }
        #expect(guarding.count == 0)
    }

    @Test("the guard forgets the oldest, and what is long ago")
    func bounded() {
        var guarding = PoisonGuard(limit: 3, capacity: 3, memory: .seconds(10))
        for (second, id) in ["a", "b", "c", "d"].enumerated() {
            _ = guarding.died(id, earlier: 0, now: start + .seconds(second))
        }
        #expect(guarding.count == 3)
        #expect(guarding.died("a", earlier: 0, now: start + .seconds(4)) == (1, false))
        _ = guarding.died("e", earlier: 0, now: start + .seconds(60))
        #expect(guarding.count == 1)
    }

    @Test("failed starts are tried again later and later, once for all slots")
    func schedule() {
        var schedule = StartSchedule()
        var now = start
        var delays: [Duration] = []
        for _ in 0..<12 {
            let begun = now
            now += .milliseconds(10)
            let verdict = schedule.failed(begun: begun, at: now)
            let same = schedule.failed(begun: begun, at: now)
            #expect(same == StartSchedule.Verdict())
            if let delay = verdict.newDelay { delays.append(delay) }
            #expect(verdict.givesUp == (delays.count >= StartSchedule.roundsBeforeGivingUp))
            #expect(schedule.delay(at: now) == verdict.newDelay)
            now += verdict.newDelay ?? .zero
            #expect(schedule.delay(at: now) == nil)
        }
        #expect(delays.prefix(4) == [.milliseconds(100), .milliseconds(200), .milliseconds(400), .milliseconds(800)])
        #expect(delays.last == .seconds(30))
    }

    @Test("a worker that has had a child does not give up, and forgets old failures")
    func proved() {
        var schedule = StartSchedule()
        schedule.succeeded()
        var now = start
        for _ in 0..<20 {
            let verdict = schedule.failed(begun: now, at: now)
            #expect(!verdict.givesUp)
            now += verdict.newDelay ?? .zero
        }
        schedule.proved()
        let first = schedule.failed(begun: now, at: now)
        #expect(first.newDelay == .milliseconds(100))
        _ = schedule.failed(begun: now + .seconds(1), at: now + .seconds(1))
        let late = schedule.failed(begun: now + .seconds(100), at: now + .seconds(100))
        #expect(late.newDelay == .milliseconds(100))
    }

    @Test("grows as soon as there is more work than processes, and shrinks when nothing has come for a while")
    func autoscale() {
        var rule = AutoscaleRule(Autoscale(max: 4, min: 2))
        rule.arrived(at: start)
        #expect(rule.decide(processes: 2, reserved: 2, at: start) == nil)
        #expect(rule.decide(processes: 2, reserved: 3, at: start) == 3)
        #expect(rule.decide(processes: 3, reserved: 100, at: start + .seconds(5)) == 4)
        #expect(rule.decide(processes: 4, reserved: 100, at: start + .seconds(100)) == nil)
        #expect(rule.decide(processes: 4, reserved: 0, at: start + .seconds(35)) == nil)
        #expect(rule.decide(processes: 4, reserved: 3, at: start + .seconds(36)) == 3)
        rule.arrived(at: start + .seconds(40))
        #expect(rule.decide(processes: 4, reserved: 0, at: start + .seconds(70)) == nil)
        #expect(rule.decide(processes: 4, reserved: 0, at: start + .seconds(71)) == 2)
        #expect(Autoscale(max: 1, min: 5) == Autoscale(max: 5, min: 1))
        #expect(Autoscale(max: 3, min: 0).min == 1)
    }
}
