/// What this client tells the broker of itself.
enum ClientProperties {
    static let product = "swcelery"

    static func table(_ configuration: ConnectionConfiguration) -> FieldTable {
        var table: FieldTable = [
            "product": .string(product),
            "platform": "Swift",
            "information": "Celery-compatible worker and client",
            "capabilities": .table([
                "authentication_failure_close": true,
                "basic.nack": true,
                "connection.blocked": true,
                "consumer_cancel_notify": true,
                "exchange_exchange_bindings": true,
                "publisher_confirms": true,
            ]),
        ]
        if let name = configuration.connectionName { table["connection_name"] = .string(name) }
        for field in configuration.clientProperties { table[field.name] = field.value }
        return table
    }
}
