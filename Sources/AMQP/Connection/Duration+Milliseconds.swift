extension Duration {
    /// Milliseconds for `poll`: at least one, so that nothing spins until a rest of less has passed.
    var wholeMilliseconds: Int32 {
        let (seconds, attoseconds) = components
        return Int32(clamping: max(1, seconds * 1000 + attoseconds / 1_000_000_000_000_000))
    }
}
