/// A whole number from 1.
struct PositiveNumber: Sendable, Hashable {
    let number: Int

    init(parsing text: String) throws {
        guard let number = Int(text), number > 0 else { throw OptionError("must be a number from 1, got '\(text)'") }
        self.number = number
    }
}

/// The value of `--autoscale`: the larger number is the maximum, a single one has the minimum 0 beside it, as with Celery.
struct AutoscaleRange: Sendable, Hashable {
    let maximum: Int
    let minimum: Int

    init(parsing text: String) throws {
        let numbers = text.split(separator: ",", omittingEmptySubsequences: false).map { part in
            Int(part.filter { !$0.isWhitespace })
        }
        let known = numbers.compactMap { $0 }.sorted()
        guard (1...2).contains(numbers.count), known.count == numbers.count, let least = known.first,
            let most = known.last, least >= 0, (1...Concurrency.maximum).contains(most)
        else {
            throw OptionError("must be one or two numbers separated by a comma, such as 10,3, got '\(text)'")
        }
        maximum = most
        minimum = known.count == 2 ? least : 0
    }
}

/// The value of `--optimization`; both are what Celery calls `fair`.
enum Optimization: String, Sendable {
    case standard = "default"
    case fair

    init(parsing text: String) throws {
        guard let value = Self(rawValue: text) else { throw OptionError("'\(text)' is not one of 'default', 'fair'") }
        self = value
    }
}

/// The value of `--pool-start-method`.
enum PoolStartMethod: String, Sendable {
    case spawn

    init(parsing text: String) throws {
        guard text != "fork" else {
            throw OptionError(
                "'fork' is not possible: a Swift process has threads from the start. Child processes are spawned, 'spawn'"
            )
        }
        guard let value = Self(rawValue: text) else { throw OptionError("'\(text)' is not 'spawn'") }
        self = value
    }
}
