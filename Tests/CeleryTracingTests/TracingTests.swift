import AMQP
import Celery
import CeleryProtocol
import CeleryTestKit
import CeleryTracing
import CeleryWorker
import InMemoryTracing
import Instrumentation
import Logging
import Synchronization
import Testing
import Tracing

@Suite struct TracingTests {
    // MARK: Sends

    @Test func aSendIsAChildOfTheSpanAroundIt() async throws {
        let harness = TracingHarness()
        let client = CeleryClient(
            broker: harness.broker,
            logger: LogRecorder().logger(),
            middlewares: [ProducerTracing(tracer: harness.tracer)]
        )
        _ = try await harness.tracer.withSpan("request") { _ in
            try await client.enqueue(Signature("proj.add", args: [1, 2]), options: TaskOptions(taskID: "id-1"))
        }
        await client.shutdown()
        let span = try harness.span("apply_async/proj.add")
        let request = try harness.span("request")
        #expect(span.kind == .producer)
        #expect(span.traceID == request.traceID)
        #expect(span.parentSpanID == request.spanID)
        #expect(span.text("celery.action") == "apply_async")
        #expect(span.text("celery.task_name") == "proj.add")
        #expect(span.text("messaging.message.id") == "id-1")
        #expect(span.text("messaging.destination") == "celery")
        #expect(span.text("messaging.destination_kind") == "queue")
        let message = try #require(harness.broker.messages(in: "celery").first)
        let headers = message.properties.headers ?? [:]
        #expect(headers[InMemoryTracer.traceIDKey] == .string(span.traceID))
        #expect(headers[InMemoryTracer.spanIDKey] == .string(span.spanID))
    }

    @Test func aSendThatFailsIsAnError() async throws {
        let harness = TracingHarness()
        let tracing = ProducerTracing(tracer: harness.tracer)
        let composer = TaskComposer(configuration: CeleryConfiguration())
        let composition = try composer.compose(Signature("proj.add"), options: TaskOptions(), context: SendContext())
        var publication = TaskPublication(try #require(composition.tasks.first))
        // Of an earlier message.
        publication.headers["tracestate"] = .string("old=1")
        do throws(CeleryError) {
            try await tracing.publish(publication) { (publication) async throws(CeleryError) in
                #expect(publication.headers["tracestate"] == nil)
                throw CeleryError(.unroutable, "no queue")
            }
            Issue.record("it was sent")
        } catch {
            #expect(error.code == .unroutable)
        }
        let span = try harness.span("apply_async/proj.add")
        #expect(span.status?.code == .error)
        #expect(span.status?.message == "no queue")
        #expect(span.errors.count == 1)
        #expect(span.parentSpanID == nil)
    }

    // MARK: Runs

    @Test func aTaskThatSendsAnotherIsOneTrace() async throws {
        let harness = TracingHarness()
        try await harness.run { registry in
            registry.register("inner", arguments: "x") { (x: Int) in x }
            registry.register("outer", arguments: "x") { (context: TaskContext, x: Int) in
                try await harness.tracer.withSpan("work") { _ in
                    _ = try await context.send("inner", args: [.int(x)])
                }
                return x
            }
        } _: { client in
            let handle = try await harness.tracer.withSpan("request") { _ in try await client.send("outer", args: [1]) }
            #expect(try await handle.value(timeout: .seconds(60)) == 1)
            try await harness.wait(for: 6)
        }
        let request = try harness.span("request")
        #expect(Set(harness.spans().map(\.traceID)) == [request.traceID])
        let sent = try harness.span("apply_async/outer")
        let outer = try harness.span("run/outer")
        let work = try harness.span("work")
        let child = try harness.span("apply_async/inner")
        let inner = try harness.span("run/inner")
        #expect(sent.parentSpanID == request.spanID)
        #expect(outer.parentSpanID == sent.spanID)
        #expect(work.parentSpanID == outer.spanID)
        #expect(child.parentSpanID == work.spanID)
        #expect(inner.parentSpanID == child.spanID)
        #expect(outer.kind == .consumer)
        #expect(outer.text("celery.action") == "run")
        #expect(outer.text("celery.state") == "SUCCESS")
        #expect(outer.text("celery.task_name") == "outer")
        #expect(outer.text("messaging.destination") == "celery")
        #expect(outer.text("messaging.conversation_id") == outer.text("messaging.message.id"))
        // A message that is sent by name has kombu's default priority.
        #expect(
            outer.text("celery.delivery_info")
                == "{'exchange': '', 'routing_key': 'celery', 'priority': 0, 'redelivered': False}"
        )
        #expect(outer.attributes.get("celery.retries") == nil)
        #expect(outer.links.isEmpty)
        #expect(outer.status == nil)
    }

    @Test func whatFollowsATaskIsAChildOfItsRun() async throws {
        let harness = TracingHarness()
        try await harness.run { registry in
            registry.register("first", arguments: "x") { (x: Int) in x + 1 }
            registry.register("second", arguments: "x") { (x: Int) in x * 2 }
        } _: { client in
            let chain = Chain([Signature("first", args: [1]), Signature("second")])
            let handle = try await client.send(chain)
            #expect(try await handle.value(timeout: .seconds(60)) == 4)
            try await harness.wait(for: 4)
        }
        let first = try harness.span("run/first")
        let step = try harness.span("apply_async/second")
        #expect(step.parentSpanID == first.spanID)
        #expect(try harness.span("run/second").parentSpanID == step.spanID)
        #expect(Set(harness.spans().map(\.traceID)).count == 1)
    }

    @Test func aRetryIsLinkedToTheRunBeforeIt() async throws {
        let harness = TracingHarness()
        try await harness.run { registry in
            registry.register("flaky", arguments: "x") { (context: TaskContext, x: Int) -> Int in
                if context.retries < 2 { throw context.retry(after: .zero, cause: TaskError(type: "KeyError", "k")) }
                return x
            }
        } _: { client in
            let handle = try await client.send("flaky", args: [7])
            #expect(try await handle.value(timeout: .seconds(60)) == 7)
            try await harness.wait(for: 6)
        }
        let runs = harness.spans("run/flaky")
        let sends = harness.spans("apply_async/flaky")
        try #require(runs.count == 3 && sends.count == 3)
        #expect(Set(harness.spans().map(\.traceID)).count == 1)
        #expect(runs[0].links.isEmpty)
        for index in 1...2 {
            let send = try #require(sends.first { $0.spanID == runs[index].parentSpanID })
            #expect(send.parentSpanID == runs[index - 1].spanID)
            #expect(runs[index].links.map { $0.context.inMemorySpanContext?.spanID } == [runs[index - 1].spanID])
            #expect(runs[index].attributes.get("celery.retries") == .int64(Int64(index)))
        }
        #expect(runs[0].text("celery.state") == "RETRY")
        #expect(runs[0].text("celery.retry.reason") == "Retry in 0s: KeyError('k')")
        #expect(runs[0].status == nil)
        #expect(runs[2].text("celery.state") == "SUCCESS")
        // The marks of runs do not reach other messages.
        #expect(harness.broker.messages(in: "celery").isEmpty)
    }

    @Test func aFailureIsRecorded() async throws {
        let harness = TracingHarness()
        try await harness.run { registry in
            registry.register("bad", arguments: "x") { (x: Int) -> Int in throw TaskError(type: "ValueError", "no \(x)")
            }
        } _: { client in
            let handle = try await client.send("bad", args: [3])
            await #expect(throws: TaskFailure.self) { try await handle.value(timeout: .seconds(60)) }
            try await harness.wait(for: 2)
        }
        let run = try harness.span("run/bad")
        #expect(run.text("celery.state") == "FAILURE")
        #expect(run.status?.code == .error)
        #expect(run.status?.message == "no 3")
        let error = try #require(run.errors.first)
        #expect(run.errors.count == 1)
        #expect(error.attributes.get("exception.type") == .string("ValueError"))
        #expect(error.attributes.get("exception.message") == .string("no 3"))
        #expect(error.error is TaskError)
    }

    @Test func withLinksARunBeginsATrace() async throws {
        let harness = TracingHarness()
        try await harness.run(usesLinks: true) { registry in
            registry.register("add", arguments: "x") { (x: Int) in x }
        } _: { client in
            let handle = try await client.send("add", args: [1])
            _ = try await handle.value(timeout: .seconds(60))
            try await harness.wait(for: 2)
        }
        let sent = try harness.span("apply_async/add")
        let run = try harness.span("run/add")
        #expect(run.traceID != sent.traceID)
        #expect(run.parentSpanID == nil)
        #expect(run.links.map { $0.context.inMemorySpanContext?.spanID } == [sent.spanID])
    }

    @Test func aMessageWithoutATraceBeginsOne() async throws {
        let harness = TracingHarness()
        let seen = Mutex<String?>(nil)
        try await harness.run { registry in
            registry.register("add", arguments: "x") { (x: Int) in
                seen.withLock { $0 = InstrumentationContext.current?.inMemorySpanContext?.spanID }
                return x
            }
        } _: { client in
            let plain = CeleryClient(broker: harness.broker, logger: LogRecorder().logger())
            let handle = try await plain.send("add", args: [1])
            _ = try await handle.value(timeout: .seconds(60))
            await plain.shutdown()
            try await harness.wait(for: 1)
        }
        let run = try harness.span("run/add")
        #expect(run.parentSpanID == nil)
        #expect(seen.withLock { $0 } == run.spanID)
    }
}
