internal import Logging
internal import Synchronization

extension AMQPConnection {
    /// Takes in a frame.
    func accept(_ frame: InboundFrame) throws(AMQPError) {
        switch frame {
        case .method(let number, let method):
            guard let core = channels[number] else { return }
            try accept(method, on: core)
        case .header(let number, let bodySize, let properties):
            guard let core = channels[number] else { return }
            if properties == nil { countUnreadable(on: number) }
            if let content = try core.assembler.header(bodySize: bodySize, properties) { try core.complete(content) }
        case .body(let number, let fragment):
            guard let core = channels[number] else { return }
            if let content = try core.assembler.body(fragment) { try core.complete(content) }
        case .connectionClose(let reason): perform(state.receivedClose(reason))
        case .connectionCloseOK: perform(state.receivedCloseOK())
        case .blocked(let reason):
            logger.warning("the broker has blocked publishing", metadata: ["reason": "\(reason)"])
            blocked.change(to: .blocked(reason: reason))
        case .unblocked:
            logger.notice("the broker takes publishes again")
            blocked.change(to: .unblocked)
            for core in channels.values { publishDeferred(core) }
        case .unexpected(let number, let method):
            throw AMQPError(
                .protocolViolation,
                "unexpected method \(method >> 16).\(method & 0xffff) on channel \(number)"
            )
        }
    }

    private func accept(_ method: ServerMethod, on core: ChannelCore) throws(AMQPError) {
        switch method {
        case .deliver(let source): try core.assembler.begin(.delivery(source))
        case .getOK(let source, _): try core.assembler.begin(.get(source))
        case .returned(let code, let text, let exchange, let routingKey):
            try core.assembler.begin(.returned(code: code, text: text, exchange: exchange, routingKey: routingKey))
        case .ack(let tag, let multiple): settle(core.confirms.confirmed(tag: tag, multiple: multiple, positive: true))
        case .nack(let tag, let multiple):
            settle(core.confirms.confirmed(tag: tag, multiple: multiple, positive: false))
        case .cancel(let consumerTag): core.cancelled(consumerTag)
        case .flow(let active):
            core.isPaused = !active
            try handle?.send(.flowOK(active: active), on: core.id.number)
            publishDeferred(core)
        case .channelClose(let reason):
            try handle?.send(.channelCloseOK, on: core.id.number)
            let error = AMQPError(.channelClosed, reason.text, replyCode: reason.code)
            remove(core, error)
        case .reply(let reply):
            try core.answer(reply)
            if reply == .channelClose { remove(core, nil) }
        }
    }

    private func countUnreadable(on channel: UInt16) {
        unreadable.add(1, ordering: .relaxed)
        logger.error(
            "refused a message whose headers are nested too deeply",
            metadata: ["channel": "\(channel)", "limit": "\(MessageLimits.depthLimit)"]
        )
    }

    private func settle(_ settled: [PublisherConfirms<PublishOwner>.Settled]) {
        for publish in settled { publish.completion.complete(publish.result) }
    }

    private func remove(_ core: ChannelCore, _ error: AMQPError?) {
        channels[core.id.number] = nil
        end(core, error)
    }
}
