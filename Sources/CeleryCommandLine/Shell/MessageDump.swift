import AMQP
import Celery
import CeleryProtocol

/// A message as Celery's AMQP shell shows it: Python's `pprint` of its body, properties and delivery.
enum MessageDump {
    /// The text.
    static func text(of message: IncomingMessage) -> String {
        var delivery: JSONObject = [
            "delivery_tag": .int(Int(clamping: message.deliveryTag)), "exchange": .string(message.exchange),
            "redelivered": .bool(message.redelivered), "routing_key": .string(message.routingKey),
        ]
        if let tag = message.consumerTag { delivery["consumer_tag"] = .string(tag) }
        return PythonLayout.text(
            of: .object([
                "body": body(of: message), "delivery_info": .object(delivery),
                "properties": .object(properties(message.properties)),
            ])
        )
    }

    /// Text where the message says that it is, and is.
    private static func body(of message: IncomingMessage) -> JSONValue {
        guard let encoding = message.properties.contentEncoding?.lowercased(), ["utf-8", "utf8"].contains(encoding),
            let text = String(validating: message.body, as: UTF8.self)
        else { return .bytes(message.body) }
        return .string(text)
    }

    /// The properties that are there, under py-amqp's names.
    private static func properties(_ properties: BasicProperties) -> JSONObject {
        let texts = [
            "app_id": properties.appID, "cluster_id": properties.clusterID,
            "content_encoding": properties.contentEncoding, "content_type": properties.contentType,
            "correlation_id": properties.correlationID, "expiration": properties.expiration,
            "message_id": properties.messageID, "reply_to": properties.replyTo, "type": properties.type,
            "user_id": properties.userID,
        ]
        var object: JSONObject = [:]
        for (name, text) in texts { object[name] = text.map { .string($0) } }
        object["application_headers"] = properties.headers.map { JSONValue(.table($0)) }
        object["delivery_mode"] = properties.deliveryMode.map { .int(Int($0)) }
        object["priority"] = properties.priority.map { .int(Int($0)) }
        object["timestamp"] = properties.timestamp.map { .int(Int(clamping: $0)) }
        return object
    }
}
