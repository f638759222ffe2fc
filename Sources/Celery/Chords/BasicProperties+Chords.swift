import AMQP

extension BasicProperties {
    /// The properties of a persistent JSON message to a collector of chords, told from results by its `type`.
    init(ofChord groupID: String, type: String) {
        self.init()
        contentType = "application/json"
        contentEncoding = "utf-8"
        deliveryMode = 2
        correlationID = groupID
        self.type = type
    }
}
