import CeleryProtocol

/// Which arguments a command takes; checked as Python checks a call of the function behind it.
struct ControlSignature: Sendable, Hashable {
    /// Arguments that have to be there, in the order of the function.
    let required: [String]
    /// Arguments that may be there.
    let optional: Set<String>
    /// Whether others are passed over (`**kwargs`).
    let takesOthers: Bool

    /// No arguments, but others are passed over.
    static let none = ControlSignature()

    init(_ required: [String] = [], optional: Set<String> = [], takesOthers: Bool = true) {
        self.required = required
        self.optional = optional
        self.takesOthers = takesOthers
    }

    /// Checks the arguments of a call.
    ///
    /// - Throws: ``TaskError`` of the type `TypeError`, with Python's words.
    func check(_ arguments: JSONObject, of function: String) throws(TaskError) {
        for name in arguments.keys {
            guard name != "state" else { throw .type("\(function)() got multiple values for argument 'state'") }
            guard takesOthers || required.contains(name) || optional.contains(name) else {
                throw .type("\(function)() got an unexpected keyword argument '\(name)'")
            }
        }
        let missing = required.filter { arguments[$0] == nil }.map { "'\($0)'" }
        guard let last = missing.last else { return }
        let names: String
        switch missing.count {
        case 1: names = last
        case 2: names = missing.joined(separator: " and ")
        default: names = missing.dropLast().joined(separator: ", ") + ", and \(last)"
        }
        let noun = missing.count == 1 ? "argument" : "arguments"
        throw .type("\(function)() missing \(missing.count) required positional \(noun): \(names)")
    }
}

extension TaskError {
    /// Python's `TypeError`.
    static func type(_ message: String) -> TaskError { TaskError(type: "TypeError", message) }

    /// Python's `ValueError`.
    static func value(_ message: String) -> TaskError { TaskError(type: "ValueError", message) }
}
