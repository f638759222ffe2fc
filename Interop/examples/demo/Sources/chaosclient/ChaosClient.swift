import Celery
import FoundationEssentials
import Journal
import Logging
import SharedTasks

/// The Swift caller of the chaos run: `chaosclient QUEUE JOURNAL SEED IN_FLIGHT RATE`.
///
/// It sends numbered tasks until its standard input ends, waits for every result, and tells the journal what it did and saw:
/// `sent`, `confirmed`, `refused` (and why; the same task is sent again), `late`, `result`, `wrong`, `failed`, `lost`, `finishing`.
@main
struct ChaosClient {
    static func main() async throws {
        let arguments = CommandLine.arguments.dropFirst()
        guard let plan = Plan(arguments) else {
            print("usage: chaosclient QUEUE JOURNAL SEED IN_FLIGHT RATE")
            throw Usage()
        }
        var logger = Logger(label: "chaosclient")
        logger.logLevel = .debug
        let configuration = CeleryConfiguration(environment: ProcessInfo.processInfo.environment)
        try await withCeleryClient(configuration: configuration, logger: logger) { client in
            await Feeder(client: client, plan: plan).run()
        }
    }
}

/// The command line cannot be understood.
struct Usage: Error {}

/// What to send, from the command line.
struct Plan: Sendable {
    let queue: String
    let journal: Journal
    let seed: UInt64
    /// Tasks that wait for their result at a time.
    let inFlight: Int
    /// Tasks a second, at most.
    let rate: Double

    init?(_ arguments: ArraySlice<String>) {
        let words = Array(arguments)
        guard words.count == 5, let journal = Journal(path: words[1]), let seed = UInt64(words[2]),
            let inFlight = Int(words[3]), inFlight > 0, let rate = Double(words[4]), rate > 0
        else { return nil }
        queue = words[0]
        self.journal = journal
        self.seed = seed
        self.inFlight = inFlight
        self.rate = rate
    }

    /// How long a task takes: some milliseconds mostly, some seconds for one in a hundred.
    func milliseconds(of number: Int) -> Int {
        var state = seed &+ UInt64(number) &* 0x9E37_79B9_7F4A_7C15
        state = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        state = (state ^ (state >> 27)) &* 0x94D0_49BB_1331_11EB
        state ^= state >> 31
        return state % 100 == 0 ? Int(2000 + (state / 100) % 6000) : Int(5 + (state / 100) % 150)
    }
}
