/// How much a reader of JSON accepts, and what it does with text that Unicode cannot express.
///
/// A message comes from whoever may publish to the queue, so size and depth are bounded before anything is built of it.
public struct JSONLimits: Sendable, Hashable {
    /// What to do with half of a surrogate pair, such as `"\ud800"`.
    ///
    /// Python's `str` can hold one (file names with undecodable bytes do), a Swift `String` cannot.
    public enum LoneSurrogates: Sendable, Hashable {
        /// The text is refused with ``ProtocolError/Code/loneSurrogate``: nothing is changed behind the reader's back.
        case refuse
        /// Each half becomes U+FFFD, the replacement character: for text that is only shown.
        case replace
    }

    /// The largest depth that can be asked for: what a stack of 512 kB bears even without optimisation.
    public static let greatestDepth = 128

    /// How deep arrays and maps may be nested, within 1 and ``greatestDepth``.
    ///
    /// A body `[[], {}, {}]` has depth 2.
    public var maxDepth: Int {
        didSet { maxDepth = Self.bounded(maxDepth) }
    }
    /// How many bytes a text may have.
    public var maxBytes: Int
    /// How many digits an integer may have; 4300 is Python's own bound, which its peers never exceed.
    public var maxIntegerDigits: Int
    /// What to do with half of a surrogate pair.
    public var loneSurrogates: LoneSurrogates

    /// Makes limits; the defaults suit task messages and results.
    public init(
        maxDepth: Int = 64,
        maxBytes: Int = 128 << 20,
        maxIntegerDigits: Int = 4300,
        loneSurrogates: LoneSurrogates = .refuse
    ) {
        self.maxDepth = Self.bounded(maxDepth)
        self.maxBytes = maxBytes
        self.maxIntegerDigits = maxIntegerDigits
        self.loneSurrogates = loneSurrogates
    }

    private static func bounded(_ depth: Int) -> Int { min(max(depth, 1), greatestDepth) }
}
