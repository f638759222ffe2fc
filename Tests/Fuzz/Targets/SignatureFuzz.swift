import CeleryProtocol

/// Signatures of the canvas, both ways, and what is merged into them.
enum SignatureFuzz {
    static func run(_ input: [UInt8]) {
        do throws(ProtocolError) {
            let json = try JSONValue(parsing: input)
            let signature = try SignatureWire(decoding: json)
            let again = try SignatureWire(decoding: signature.json)
            require(again == signature || JSONFuzz.holdsNaN(json), "a signature stays the same")
            JSONFuzz.checkRoundTrip(signature.json)
            checkMerging(signature)
        } catch {
            Canary.check(error)
        }
    }

    private static func checkMerging(_ signature: SignatureWire) {
        let applied = signature.applying(args: signature.args, kwargs: signature.kwargs, options: signature.options)
        let count = signature.immutable ? signature.args.count : 2 * signature.args.count
        require(applied.args.count == count, "further arguments come on top, unless the signature is immutable")
        require(applied.task == signature.task, "the task stays")
        let forced = signature.merging(args: [.null], options: ["queue": "q"], force: true)
        require(forced.args.first == .null, "further arguments come first")
        require(Set(forced.options.keys).isSuperset(of: signature.options.keys), "no option is lost")
    }
}
