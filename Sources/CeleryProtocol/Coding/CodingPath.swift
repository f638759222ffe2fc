/// Where a coder stands within a value, as a list towards the root that is written out for errors only.
indirect enum CodingPath: Sendable {
    case root
    case step(any CodingKey, parent: CodingPath)

    func appending(_ key: any CodingKey) -> CodingPath { .step(key, parent: self) }

    func appending(index: Int) -> CodingPath { .step(CodingStep(intValue: index), parent: self) }

    /// The keys from the root on.
    var keys: [any CodingKey] {
        var keys: [any CodingKey] = []
        var path = self
        while case .step(let key, let parent) = path {
            keys.append(key)
            path = parent
        }
        return keys.reversed()
    }
}

/// A key without a type of its own: an index of an array, or the place of a superclass.
struct CodingStep: CodingKey {
    let stringValue: String
    let intValue: Int?

    static let superclass = CodingStep(stringValue: "super")

    init(stringValue: String) {
        self.stringValue = stringValue
        self.intValue = nil
    }

    init(intValue: Int) {
        self.stringValue = "Index \(intValue)"
        self.intValue = intValue
    }
}
