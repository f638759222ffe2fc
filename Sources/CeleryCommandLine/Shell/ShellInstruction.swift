import AMQP

/// What one line of the AMQP shell asks for; names, order and defaults of the arguments are those of Celery's `amqp`.
enum ShellInstruction: Sendable, Hashable {
    case declareExchange(ExchangeDeclaration)
    case deleteExchange(String, ifUnused: Bool)
    case bindQueue(String, exchange: String, routingKey: String)
    case declareQueue(QueueDeclaration)
    case deleteQueue(String, ifUnused: Bool, ifEmpty: Bool)
    case purgeQueue(String)
    case get(String, noAck: Bool)
    case publish(OutgoingMessage)
    case acknowledge(UInt64)
    case help
    case exit

    /// The instructions with their arguments, for help texts.
    static let usages = [
        "exchange.declare <exchange> <type> [passive] [durable] [auto_delete]",
        "exchange.delete <exchange> [if_unused]",
        "queue.bind <queue> <exchange> <routing_key>",
        "queue.declare <queue> [passive] [durable] [auto_delete]",
        "queue.delete <queue> [if_unused] [if_empty]",
        "queue.purge <queue>",
        "basic.get <queue> [no_ack]",
        "basic.publish <msg> <exchange> <routing_key> [mandatory] [immediate]",
        "basic.ack <delivery_tag>",
    ]

    /// The names of the instructions, for completion.
    static let names = usages.map { String($0.prefix { $0 != " " }) }

    /// Reads the words of a line; nil where there are none.
    ///
    /// - Throws: `OptionError` for what is no instruction, with its usage.
    init?(words: [String]) throws {
        guard let name = words.first else { return nil }
        var arguments = ShellArguments(name: name, words: Array(words.dropFirst()))
        switch name {
        case "exchange.declare": self = .declareExchange(try arguments.exchangeDeclaration())
        case "exchange.delete":
            self = .deleteExchange(try arguments.text("exchange"), ifUnused: try arguments.flag("if_unused"))
        case "queue.bind":
            self = .bindQueue(
                try arguments.text("queue"),
                exchange: try arguments.text("exchange"),
                routingKey: try arguments.text("routing_key")
            )
        case "queue.declare": self = .declareQueue(try arguments.queueDeclaration())
        case "queue.delete":
            self = .deleteQueue(
                try arguments.text("queue"),
                ifUnused: try arguments.flag("if_unused"),
                ifEmpty: try arguments.flag("if_empty")
            )
        case "queue.purge": self = .purgeQueue(try arguments.text("queue"))
        case "basic.get": self = .get(try arguments.text("queue"), noAck: try arguments.flag("no_ack"))
        case "basic.publish": self = .publish(try arguments.message())
        case "basic.ack": self = .acknowledge(try arguments.deliveryTag())
        case "help", "?", ":h", ":help": self = .help
        case "exit", "quit", ":q", ":exit", ":quit": self = .exit
        default: throw OptionError("no such command '\(name)'; help shows them all")
        }
        try arguments.end()
    }
}

/// The arguments of one instruction, taken from left to right.
private struct ShellArguments {
    let name: String
    private var rest: ArraySlice<String>

    init(name: String, words: [String]) {
        self.name = name
        rest = words[...]
    }

    private func failure(_ text: String) -> OptionError {
        let usage = ShellInstruction.usages.first { $0.hasPrefix(name + " ") }
        return OptionError(usage.map { "\(text); usage: \($0)" } ?? text)
    }

    /// An argument that has to be there.
    mutating func text(_ argument: String) throws -> String {
        guard let word = rest.popFirst() else { throw failure("missing argument '\(argument)'") }
        return word
    }

    /// A truth value that may be left out, which means false; the words are Click's.
    mutating func flag(_ argument: String) throws -> Bool {
        guard let word = rest.popFirst() else { return false }
        switch word.lowercased() {
        case "1", "true", "t", "yes", "y", "on": return true
        case "0", "false", "f", "no", "n", "off": return false
        default: throw failure("'\(argument)' is true or false, not '\(word)'")
        }
    }

    mutating func exchangeDeclaration() throws -> ExchangeDeclaration {
        ExchangeDeclaration(
            name: try text("exchange"),
            type: try text("type"),
            passive: try flag("passive"),
            durable: try flag("durable"),
            autoDelete: try flag("auto_delete")
        )
    }

    mutating func queueDeclaration() throws -> QueueDeclaration {
        QueueDeclaration(
            name: try text("queue"),
            passive: try flag("passive"),
            durable: try flag("durable"),
            autoDelete: try flag("auto_delete")
        )
    }

    /// A message as py-amqp makes it of a text.
    mutating func message() throws -> OutgoingMessage {
        var properties = BasicProperties()
        properties.contentEncoding = "utf-8"
        let body = Array(try text("msg").utf8)
        let exchange = try text("exchange")
        let key = try text("routing_key")
        let mandatory = try flag("mandatory")
        guard try !flag("immediate") else { throw failure("RabbitMQ knows no 'immediate' any more") }
        return OutgoingMessage(
            exchange: exchange,
            routingKey: key,
            mandatory: mandatory,
            properties: properties,
            body: body
        )
    }

    mutating func deliveryTag() throws -> UInt64 {
        let word = try text("delivery_tag")
        guard let tag = UInt64(word) else { throw failure("'delivery_tag' is a number, not '\(word)'") }
        return tag
    }

    func end() throws {
        guard rest.isEmpty else { throw failure("unexpected argument '\(rest.first ?? "")'") }
    }
}
