import Testing

@testable import AMQP

@Suite("ConnectionStateMachine ends a connection once, with the reason")
struct ConnectionStateMachineTests {
    private var open: ConnectionStateMachine {
        var machine = ConnectionStateMachine()
        machine.opened()
        return machine
    }

    private let deadline = ContinuousClock.now + .seconds(5)

    @Test func refusesRequestsUnlessOpen() {
        var machine = ConnectionStateMachine()
        #expect(machine.refusal?.code == .connectionClosed)
        machine.opened()
        #expect(machine.refusal == nil)
        #expect(machine.isOpen)
    }

    @Test func closeByThisSide() {
        var machine = open
        #expect(machine.close(deadline: deadline) == true)
        #expect(machine.close(deadline: deadline) == false)
        #expect(machine.closeDeadline == deadline)
        #expect(machine.receivedCloseOK() == .end(nil))
        #expect(machine.closeDeadline == nil)
    }

    @Test func closeByTheBrokerTellsTheReason() {
        var machine = open
        let action = machine.receivedClose(CloseReason(code: 320, text: "CONNECTION_FORCED"))
        guard case .acknowledgeCloseAndEnd(let error?) = action else {
            Issue.record("\(action)")
            return
        }
        #expect(error.replyCode == 320)
        #expect(error.message.contains("CONNECTION_FORCED"))
        #expect(machine.refusal == error)
        #expect(machine.failed(AMQPError(.heartbeatTimeout, "late")) == .none)
    }

    @Test func bothSidesCloseAtOnce() {
        var machine = open
        _ = machine.close(deadline: deadline)
        #expect(machine.receivedClose(CloseReason(code: 320, text: "")) == .acknowledgeCloseAndEnd(nil))
    }

    @Test func failureWhileClosingIsNoError() {
        var machine = open
        _ = machine.close(deadline: deadline)
        #expect(machine.failed(AMQPError(.timeout, "late")) == .end(nil))
    }

    @Test func unaskedCloseOKIsAViolation() {
        var machine = open
        guard case .end(let error?) = machine.receivedCloseOK() else {
            Issue.record("no error")
            return
        }
        #expect(error.code == .protocolViolation)
    }
}
