import Celery
import Logging

extension WorkerParts {
    /// Runs the worker until the gate opens, then ends it in order.
    func run(until shutdown: Gate<Void>) async throws {
        let failure = Gate<CeleryError>()
        let signals = hooks.signals
        let event = WorkerSignal(hostname: hostname)
        signals.workerInit.send(event, logger)
        if configuration.pool != .processes { signals.workerProcessInit.send(event, logger) }
        await stateKeeper?.load()
        let keeper = spawn { [stateKeeper] in await stateKeeper?.run() }
        pool.start(runner)
        let dispatcher = spawn { [dispatching] in
            var dispatcher = Dispatcher(dispatching)
            await dispatcher.run()
        }
        let consumer = spawn { [consuming] in
            await Self.supervise(failure, shutdown) { () async throws(CeleryError) in try await consuming.run() }
        }
        let publisher = spawn { [publishing] in
            await Self.supervise(failure, shutdown) { () async throws(CeleryError) in try await publishing.run() }
        }
        let announcement = spawn { [consuming, logger, hostname] in
            guard await consuming.ready.waitUnlessCancelled() != nil else { return }
            logger.info("\(hostname) ready.")
            signals.workerReady.send(event, logger)
        }
        pool.whenFailed { error in
            failure.open(error)
            shutdown.open()
        }
        abandonment.whenOpen { error in
            failure.open(error)
            shutdown.open()
        }
        await shutdown.wait()
        signals.workerShuttingDown.send(event, logger)
        announcement.cancel()
        await stopConsuming(consumer)
        await finishRunning()
        await flush(publisher)
        await releaseCopies()
        await consuming.close()
        intake.post(.stop)
        await dispatcher.value
        keeper.cancel()
        await keeper.value
        consuming.ready.open()
        signals.workerShutdown.send(event, logger)
        if let error = failure.value { throw error }
    }

    private func spawn(_ work: @escaping @Sendable () async -> Void) -> Task<Void, Never> {
        Task(executorPreference: executor) { await work() }
    }

    /// Runs a supervisor; without it the worker has to end.
    private static func supervise(
        _ failure: Gate<CeleryError>,
        _ shutdown: Gate<Void>,
        _ run: () async throws(CeleryError) -> Void
    ) async {
        do throws(CeleryError) {
            try await run()
        } catch {
            failure.open(error)
            shutdown.open()
        }
    }

    /// Starts nothing any more, ends the deliveries, and gives back what has not started.
    private func stopConsuming(_ consumer: Task<Void, Never>) async {
        logger.info("Shutting down", metadata: ["running": "\(pool.runningCount)"])
        intake.post(.hold)
        consumer.cancel()
        await consumer.value
        await consuming.stopConsumers()
        let drained = Gate<Void>()
        intake.post(.drain(drained))
        await drained.wait()
    }

    /// Waits until copies of tasks that have ended are settled, and gives back those of tasks that have not.
    private func releaseCopies() async {
        let released = Gate<Void>()
        intake.post(.release(released))
        await released.wait()
    }

    /// Waits for the running tasks.
    ///
    /// A cold shutdown cancels them and does not wait for long.
    private func finishRunning() async {
        let ended = Gate<Bool>()
        pool.whenEnded { ended.open(true) }
        coldShutdown.whenOpen { [pool, celery, configuration] in
            Alarm.after(celery.workerSoftShutdownTimeout) {
                pool.cancelRunning()
                Alarm.after(configuration.cancellationTimeout) { ended.open(false) }
            }
        }
        if await !ended.wait() {
            logger.error("Tasks do not end after they were cancelled", metadata: ["running": "\(pool.runningCount)"])
        }
    }

    /// Waits for the confirms of what was published, then ends publishing.
    private func flush(_ publisher: Task<Void, Never>) async {
        let limit = coldShutdown.isOpen ? configuration.cancellationTimeout : configuration.flushTimeout
        let deadline = ContinuousClock.now + limit
        if await !results.waitUntilIdle(limit: limit) {
            logger.error("Results were not confirmed in time", metadata: ["results": "\(results.unfinishedCount)"])
        }
        // Copies on their way to the delay ladder among them: unconfirmed, their originals would go back beside them.
        if await !tasks.waitUntilIdle(limit: ContinuousClock.now.duration(to: deadline)) {
            logger.error("Tasks were not confirmed in time", metadata: ["tasks": "\(tasks.unfinishedCount)"])
        }
        sender.topology.close()
        results.close()
        tasks.close()
        publisher.cancel()
        await publisher.value
    }
}
