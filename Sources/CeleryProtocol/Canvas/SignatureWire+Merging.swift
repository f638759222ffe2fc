public import OrderedCollections

extension SignatureWire {
    /// The signature with what is added when it is applied, as `Signature.apply_async` merges it.
    ///
    /// Extra arguments stand before the stored ones, extra keyword arguments and options win over the stored ones, and an
    /// extra option that is null counts as not given. An immutable signature takes the options alone. Options that hold
    /// a workflow together, once set, stay: `group_id`, `stamped_headers` and the stamps.
    public func applying(
        args: [JSONValue] = [],
        kwargs: JSONObject = [:],
        options: JSONObject = [:]
    ) -> SignatureWire {
        merging(args: args, kwargs: kwargs, options: options.filter { !$0.value.isNull })
    }

    /// The signature merged with further arguments and options, as `Signature.clone` does: nulls among the options count.
    ///
    /// - Parameter force: merges arguments into an immutable signature too.
    public func merging(
        args: [JSONValue] = [],
        kwargs: JSONObject = [:],
        options: JSONObject = [:],
        force: Bool = false
    ) -> SignatureWire {
        var merged = self
        merged.mergeOptions(options)
        guard !immutable || force else { return merged }
        if !args.isEmpty { merged.args = args + self.args }
        for (key, value) in kwargs { merged.kwargs[key] = value }
        return merged
    }

    private mutating func mergeOptions(_ extraOptions: JSONObject) {
        guard !extraOptions.isEmpty else { return }
        let kept = stampNames.union(["group_id", "stamped_headers"])
        let stored = options
        for (key, value) in extraOptions where stored[key] == nil || !kept.contains(key) { options[key] = value }
    }

    private var stampNames: Set<String> {
        Set(options["stamped_headers"]?.arrayValue?.compactMap(\.stringValue) ?? [])
    }
}
