import AMQP

/// What the owner of a collector queue is told.
enum ChordEvent: Sendable {
    /// Something has come in, or the consumer has ended.
    case consumer(ConsumerEvent, ConsumerSource)
    /// A kept result has reached its caller, or nobody is there to get it.
    case forwarded(ChordNumber)
    /// A result that is not kept has reached whoever it was for.
    case relayed(UInt64, ChannelEpoch, bytes: Int)
    /// More has come on a channel than is taken in; from here on nothing more of it comes.
    case full(ChannelEpoch)
    /// A mark of a deadline was published, or could not be.
    case marked(ChordNumber, isPublished: Bool)
    /// What follows a chord was published, or could not be.
    case ended(ChordEnding, ChordPublisher.Outcome)
    /// Time has passed.
    case tick
    /// The worker ends: begin nothing any more, and tell when nothing is on its way.
    case stop(Gate<Void>)
}
