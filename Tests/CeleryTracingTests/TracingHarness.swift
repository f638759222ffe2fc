import AMQP
import Celery
import CeleryTestKit
import CeleryTracing
import CeleryWorker
import InMemoryTracing
import Instrumentation
import Logging
import Testing
import Tracing

/// A traced worker and a traced client over one broker in memory.
struct TracingHarness: Sendable {
    let tracer = InMemoryTracer()
    let broker = InMemoryBroker()

    /// The spans that have ended, those of this name only where one is given.
    func spans(_ name: String? = nil) -> [FinishedInMemorySpan] {
        tracer.finishedSpans.filter { name == nil || $0.operationName == name }
    }

    /// The one ended span of this name.
    func span(_ name: String, location: SourceLocation = #_sourceLocation) throws -> FinishedInMemorySpan {
        let found = spans(name)
        try #require(found.count == 1, "\(spans().map(\.operationName))", sourceLocation: location)
        return found[0]
    }

    /// Runs a worker with these tasks around the body.
    func run(
        usesLinks: Bool = false,
        register: (inout TaskRegistry) -> Void,
        _ body: (CeleryClient) async throws -> Void
    ) async throws {
        var registry = TaskRegistry()
        registry.trace(by: tracer, usesLinks: usesLinks)
        register(&registry)
        let worker = try Worker(
            broker: broker,
            configuration: WorkerConfiguration(concurrency: 2),
            celery: CeleryConfiguration(),
            registry: registry,
            logger: LogRecorder().logger()
        )
        let running = Task { try await worker.run() }
        await worker.waitUntilReady()
        let client = CeleryClient(
            broker: broker,
            logger: LogRecorder().logger(),
            middlewares: [ProducerTracing(tracer: tracer)]
        )
        do {
            try await body(client)
        } catch {
            worker.triggerShutdown(.cold)
            await client.shutdown()
            try await running.value
            throw error
        }
        await client.shutdown()
        worker.triggerShutdown()
        try await running.value
    }

    /// Waits until so many spans have ended.
    func wait(for count: Int, location: SourceLocation = #_sourceLocation) async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while tracer.finishedSpans.count < count {
            try #require(
                ContinuousClock.now < deadline,
                "only \(spans().map(\.operationName))",
                sourceLocation: location
            )
            try await Task.sleep(for: .milliseconds(2))
        }
    }
}

extension FinishedInMemorySpan {
    func text(_ attribute: String) -> String? {
        guard case .string(let text) = attributes.get(attribute)?.toSpanAttribute() else { return nil }
        return text
    }
}
