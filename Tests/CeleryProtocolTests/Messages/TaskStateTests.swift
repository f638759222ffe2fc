import CeleryProtocol
import Testing

@Suite("Task states")
struct TaskStateTests {
    static let all: [TaskState] = [
        .pending, .received, .started, .success, .failure, .retry, .revoked, .rejected, .ignored, .custom("PROGRESS"),
    ]

    @Test("Names go both ways", arguments: all)
    func names(_ state: TaskState) {
        #expect(TaskState(name: state.name) == state)
        #expect(state.name == state.name.uppercased())
    }

    @Test("Celery's sets of states")
    func sets() {
        #expect(Set(Self.all.filter(\.isReady)) == [.success, .failure, .revoked])
        #expect(Set(Self.all.filter(\.isPropagated)) == [.failure, .revoked])
        #expect(Set(Self.all.filter(\.isException)) == [.retry, .failure, .revoked])
    }

    @Test("Celery's order of states")
    func precedence() {
        let order: [TaskState] = [
            .success, .failure, .custom("PROGRESS"), .revoked, .started, .received, .rejected, .retry, .pending,
        ]
        #expect(order.map(\.precedence) == Array(0...8))
        #expect(TaskState.custom("A").precedence == TaskState.ignored.precedence)
        #expect(TaskState.success.outranks(.failure))
        #expect(!TaskState.custom("A").outranks(.custom("B")))
    }

    @Test("A name in other letters is a state of the application's own")
    func custom() {
        #expect(TaskState(name: "success") == .custom("success"))
        #expect(TaskState(name: "") == .custom(""))
    }
}
