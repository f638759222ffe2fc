internal import DequeModule

extension AMQPConnection {
    /// Writes a message, or lets it wait while the broker takes none.
    func publish(_ id: ChannelID, _ publish: PendingPublish) {
        guard state.isOpen else { return refuse(publish, refusal) }
        guard let core = channels[id.number], core.id == id, !core.isClosing else {
            return refuse(publish, AMQPError(.channelClosed, "the channel has been closed"))
        }
        guard !isBlocked, !core.isPaused, core.deferred.isEmpty else {
            core.deferred.append(publish)
            return
        }
        write(publish, on: core)
    }

    /// Writes what had to wait.
    func publishDeferred(_ core: ChannelCore) {
        while !isBlocked, !core.isPaused, let publish = core.deferred.popFirst() { write(publish, on: core) }
    }

    /// Ends a channel with what it has not written.
    func end(_ core: ChannelCore, _ error: AMQPError?) {
        let unsent = core.deferred
        core.deferred.removeAll()
        core.end(error)
        for publish in unsent { refuse(publish, error ?? AMQPError(.channelClosed, "the channel has been closed")) }
    }

    /// A task waits for a publish no more; the error tells whether the message may have arrived.
    nonisolated func giveUp(_ ticket: PublishTicket, _ code: AMQPError.Code, _ reason: String) -> AMQPError {
        guard ticket.abandon() else { return AMQPError(code, "\(reason) before the broker's answer came") }
        loop.giveUp(ticket)
        return AMQPError(code, "\(reason) before the message was sent")
    }

    /// Gives the room of what was written to the publishes that wait for it.
    func freeRoom() {
        guard written.messages > 0 else { return }
        loop.free(written)
        written = ConnectionLoop.Written()
    }

    private func write(_ publish: PendingPublish, on core: ChannelCore) {
        guard let handle else { return refuse(publish, refusal) }
        count(publish)
        // Whoever waited for it may have given up.
        guard publish.owner.claim() else { return }
        if core.isConfirming {
            let identity = PublisherConfirms<PublishOwner>.Identity(
                exchange: publish.message.exchange,
                routingKey: publish.message.routingKey,
                properties: publish.message.properties
            )
            core.confirms.published(identity, publish.owner)
        }
        do throws(AMQPError) {
            try handle.publish(publish.message, on: core.id.number)
        } catch {
            if !core.isConfirming { publish.owner.complete(.failure(watch.failure ?? error)) }
            return fail(error)
        }
        if !core.isConfirming { publish.owner.complete(.success(())) }
    }

    private func refuse(_ publish: PendingPublish, _ error: AMQPError) {
        count(publish)
        publish.owner.complete(.failure(error))
    }

    private func count(_ publish: PendingPublish) {
        written.messages += 1
        written.bytes += publish.bytes
    }
}
