import Testing

@testable import AMQP

@Suite("PublishRoom bounds what waits to be written")
struct PublishRoomTests {
    /// A reference, as expectations cannot take mutating calls.
    private final class Room<Item> {
        private var room: PublishRoom<Item>

        init(messages: Int, bytes: Int) { room = PublishRoom(messages: messages, bytes: bytes) }

        var isEmpty: Bool { room.isEmpty }
        var waitingCount: Int { room.waitingCount }
        func take(bytes: Int) -> Bool { room.take(bytes: bytes) }
        func wait(_ id: UInt64, _ item: Item, bytes: Int) { room.wait(id, item, bytes: bytes) }
        func giveUp(_ id: UInt64) -> Bool { room.giveUp(id) }
        func free(messages: Int, bytes: Int) -> [Item] { room.free(messages: messages, bytes: bytes) }
    }

    @Test func countsMessagesAndBytes() {
        let room = Room<String>(messages: 3, bytes: 100)
        #expect(room.take(bytes: 50))
        #expect(room.take(bytes: 50))
        #expect(!room.take(bytes: 1))
        #expect(room.free(messages: 1, bytes: 50).isEmpty)
        #expect(room.take(bytes: 0))
        #expect(room.take(bytes: 0))
        #expect(!room.take(bytes: 0))
        #expect(room.free(messages: 3, bytes: 50).isEmpty)
        #expect(room.isEmpty)
    }

    @Test func thoseWhoWaitGoFirstAndInTheirOrder() {
        let room = Room<String>(messages: 2, bytes: 100)
        #expect(room.take(bytes: 90))
        room.wait(1, "large", bytes: 60)
        room.wait(2, "small", bytes: 1)
        #expect(!room.take(bytes: 1))
        #expect(room.free(messages: 1, bytes: 90) == ["large", "small"])
        #expect(room.waitingCount == 0)
        #expect(!room.take(bytes: 1))
        #expect(room.free(messages: 2, bytes: 61).isEmpty)
        #expect(room.isEmpty)
    }

    @Test func oneLargeMessageMayStandAlone() {
        let room = Room<String>(messages: 2, bytes: 10)
        #expect(room.take(bytes: 1))
        #expect(!room.take(bytes: 1000))
        room.wait(1, "large", bytes: 1000)
        #expect(room.free(messages: 1, bytes: 1) == ["large"])
        #expect(room.free(messages: 1, bytes: 1000).isEmpty)
        #expect(room.isEmpty)
    }

    @Test func thoseWhoGiveUpLeaveNoTrace() {
        let room = Room<Int>(messages: 1, bytes: 10)
        #expect(room.take(bytes: 10))
        for id in 1...1000 { room.wait(UInt64(id), id, bytes: 1) }
        for id in 1...999 { #expect(room.giveUp(UInt64(id))) }
        #expect(!room.giveUp(5))
        #expect(room.waitingCount == 1)
        #expect(room.free(messages: 1, bytes: 10) == [1000])
        #expect(!room.giveUp(1000))
    }
}
