@testable import AMQP

/// A connection's pump without its thread and its socket: the same state machines, driven by the frames alone.
final class FramePump {
    private static let maximumBodySize = 1 << 20

    private var state = ConnectionStateMachine()
    private var channels: [UInt16: ChannelCore] = [:]
    /// Complete messages of all kinds.
    private(set) var messages = 0
    /// Bytes of their bodies.
    private(set) var bodyBytes = 0

    init() {
        state.opened()
        for number: UInt16 in 1...3 {
            let id = ChannelID(number: number, serial: UInt64(number))
            let core = ChannelCore(
                id: id,
                ended: OneShot(),
                maximumBodySize: Self.maximumBodySize,
                confirmTimeout: .zero
            ) { _ in }
            core.isConfirming = true
            for key in 0..<4 { core.confirms.published(identity(key), .completion { _ in }) }
            channels[number] = core
        }
    }

    private func identity(_ key: Int) -> PublisherConfirms<PublishOwner>.Identity {
        .init(exchange: "", routingKey: "\(key)", properties: BasicProperties())
    }

    /// Takes a frame as the connection does.
    func accept(_ frame: InboundFrame) throws(AMQPError) {
        switch frame {
        case .method(let number, let method):
            guard let core = channels[number] else { return }
            try accept(method, on: core)
        case .header(let number, let bodySize, let properties):
            guard let core = channels[number] else { return }
            if let properties { FieldTableFuzz.checkRoundTrip(properties) }
            if let content = try core.assembler.header(bodySize: bodySize, properties) { try complete(content, core) }
        case .body(let number, let fragment):
            guard let core = channels[number] else { return }
            if let content = try core.assembler.body(fragment) { try complete(content, core) }
        case .connectionClose(let reason): perform(state.receivedClose(reason))
        case .connectionCloseOK: perform(state.receivedCloseOK())
        case .blocked, .unblocked: break
        case .unexpected: throw AMQPError(.protocolViolation, "unexpected method")
        }
    }

    private func accept(_ method: ServerMethod, on core: ChannelCore) throws(AMQPError) {
        switch method {
        case .deliver(let source): try core.assembler.begin(.delivery(source))
        case .getOK(let source, _): try core.assembler.begin(.get(source))
        case .returned(let code, let text, let exchange, let routingKey):
            try core.assembler.begin(.returned(code: code, text: text, exchange: exchange, routingKey: routingKey))
        case .ack(let tag, let multiple): settle(core, tag: tag, multiple: multiple, positive: true)
        case .nack(let tag, let multiple): settle(core, tag: tag, multiple: multiple, positive: false)
        case .cancel(let consumerTag): core.cancelled(consumerTag)
        case .flow(let active): core.isPaused = !active
        case .channelClose(let reason):
            channels[core.id.number] = nil
            core.end(AMQPError(.channelClosed, reason.text, replyCode: reason.code))
        case .reply(let reply): try core.answer(reply)
        }
    }

    private func complete(_ content: ContentAssembler.Content, _ core: ChannelCore) throws(AMQPError) {
        require(!core.assembler.isAssembling, "a message that is complete is over")
        require(content.body.count <= Self.maximumBodySize, "a body is bounded")
        messages += 1
        bodyBytes += content.body.count
        try core.complete(content)
    }

    private func settle(_ core: ChannelCore, tag: UInt64, multiple: Bool, positive: Bool) {
        let before = core.confirms.count
        let settled = core.confirms.confirmed(tag: tag, multiple: multiple, positive: positive)
        require(settled.count <= before, "no publish is settled twice")
        for publish in settled { publish.completion.complete(publish.result) }
        core.confirms.published(identity(before), .completion { _ in })
    }

    /// What the connection does when it has taken in what came.
    func finishTurn() {
        for core in channels.values {
            core.flushBatches()
            require(core.settlements.unsettledCount >= 0, "deliveries are counted")
            _ = core.settlements.flush()
        }
    }

    /// Ends the connection.
    func end(_ error: AMQPError?) {
        perform(state.failed(error ?? AMQPError(.connectionClosed, "the end")))
        require(!state.isOpen && state.refusal != nil, "a connection that has ended stays so")
        for core in channels.values { core.end(error) }
    }

    private func perform(_ action: ConnectionStateMachine.Action) {
        if case .none = action { return }
        require(!state.isOpen, "an action ends the connection")
    }
}
