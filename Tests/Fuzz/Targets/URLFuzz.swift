import AMQP

/// Addresses of brokers.
enum URLFuzz {
    static func run(_ input: [UInt8]) {
        let text = String(decoding: input, as: UTF8.self)
        do throws(AMQPError) {
            let addresses = try AMQPURI.parse(text)
            require(!addresses.isEmpty, "there is an address")
            for address in addresses { try check(address) }
        } catch {
            require(error.code == .invalidURL, "a URL that cannot be read is told to be invalid")
            if !text.split(separator: ";").contains(where: hasCanaryAsScheme) { Canary.check(error) }
        }
    }

    /// An unknown scheme is shown.
    private static func hasCanaryAsScheme(_ address: Substring) -> Bool {
        guard let end = address.firstRange(of: "://") else { return false }
        let scheme = address[..<end.lowerBound]
        return holdsCanary(String(scheme)) && !scheme.contains { ":@/?&=".contains($0) }
    }

    private static func check(_ address: AMQPURI) throws(AMQPError) {
        require((1...65535).contains(address.port), "a port is a port")
        require(!address.host.isEmpty && !address.virtualHost.isEmpty && !address.userName.isEmpty, "nothing is empty")
        for text in [address.host, address.userName, address.password, address.virtualHost] {
            require(!text.utf8.contains(0), "C reads the whole text")
        }
        checkRedacted(address)
        let configuration = try ConnectionConfiguration(uri: address)
        require((Duration.zero...Duration.seconds(86_400)).contains(configuration.heartbeat), "a heartbeat is bounded")
        require(configuration.frameMax >= 4096 && configuration.channelMax >= 1, "limits are AMQP's")
        checkShown(String(describing: configuration.uri), address)
    }

    /// What is shown is an address again, with all but the password and the options.
    private static func checkRedacted(_ address: AMQPURI) {
        checkShown(address.redacted, address)
        checkShown("\(address)", address)
        checkShown(String(reflecting: address), address)
        var dumped = ""
        dump(address, to: &dumped)
        checkShown(dumped, address)
        do throws(AMQPError) {
            let again = try AMQPURI.parse(address.redacted)
            require(again.count == 1, "what is shown is one address")
            require(again[0].userName == address.userName, "the user is shown")
            require(again[0].host == address.host && again[0].port == address.port, "host and port are shown")
            require(again[0].virtualHost == address.virtualHost, "the virtual host is shown")
        } catch {
            fatalError("broken rule: what is shown is an address: \(error)")
        }
    }

    private static func checkShown(_ shown: String, _ address: AMQPURI) {
        // Elsewhere it is no secret.
        guard ![address.host, address.userName, address.virtualHost].contains(where: holdsCanary) else { return }
        require(!holdsCanary(withoutEscapes(shown)), "neither password nor options are shown")
    }

    /// An escaped backslash before `ANARY` is no canary: `%5CANARY`.
    private static func withoutEscapes(_ shown: String) -> String {
        let pieces = shown.split(separator: "%", omittingEmptySubsequences: false)
        return pieces.prefix(1).joined() + pieces.dropFirst().map { "%" + $0.dropFirst(2) }.joined()
    }

    private static func holdsCanary(_ text: String) -> Bool { text.uppercased().contains(Canary.text) }
}
