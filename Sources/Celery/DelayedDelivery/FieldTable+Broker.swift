package import AMQP

extension FieldTable {
    /// Headers that RabbitMQ adds when it dead-letters or delivers again; sent again, they would look like a cycle to it.
    private static let brokerFields: Set<String> = [
        "x-death", "x-first-death-exchange", "x-first-death-queue", "x-first-death-reason", "x-last-death-exchange",
        "x-last-death-queue", "x-last-death-reason", "x-delivery-count", "x-acquired-count",
    ]

    /// The fields without those that the broker adds.
    package var withoutBrokerFields: FieldTable {
        FieldTable(fields.filter { !Self.brokerFields.contains($0.name) })
    }
}
