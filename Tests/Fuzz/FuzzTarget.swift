/// What can be fuzzed, by the name on the command line of `Interop/fuzz.sh`.
enum FuzzTarget: String, CaseIterable {
    case fieldTable = "field-table"
    case frames
    case json
    case resultMessage = "result-message"
    case signature
    case taskMessage = "task-message"
    case url
    case wireDate = "wire-date"

    /// Runs one input; ends the process where a rule is broken.
    func run(_ input: [UInt8]) {
        switch self {
        case .fieldTable: FieldTableFuzz.run(input)
        case .frames: FramesFuzz.run(input)
        case .json: JSONFuzz.run(input)
        case .resultMessage: ResultMessageFuzz.run(input)
        case .signature: SignatureFuzz.run(input)
        case .taskMessage: TaskMessageFuzz.run(input)
        case .url: URLFuzz.run(input)
        case .wireDate: WireDateFuzz.run(input)
        }
    }
}
