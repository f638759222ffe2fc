import Celery
import Logging

extension WorkerParts {
    /// How long killed processes may take to be gone.
    private static let killTime = Duration.seconds(5)

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
        chords?.start()
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
        let grace = armShutdown()
        defer { grace?.cancel() }
        announcement.cancel()
        await stopConsuming(consumer)
        await finishRunning()
        await flush(publisher)
        await releaseCopies()
        await withinColdLimit { [consuming] in await consuming.close() }
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

    /// Waits for the broker; in a cold shutdown not for long, since it may be silent.
    private func withinColdLimit(_ work: @escaping @Sendable () async -> Void) async {
        let done = Gate<Void>()
        _ = spawn {
            await work()
            done.open()
        }
        coldShutdown.whenOpen { [configuration] in Alarm.after(configuration.cancellationTimeout) { done.open() } }
        await done.wait()
    }

    /// Starts nothing any more, ends the deliveries, and gives back what has not started.
    private func stopConsuming(_ consumer: Task<Void, Never>) async {
        logger.info("Shutting down", metadata: ["running": "\(pool.runningCount)"])
        intake.post(.hold)
        consumer.cancel()
        await consumer.value
        await chords?.finish(
            limit: coldShutdown.isOpen ? configuration.cancellationTimeout : configuration.flushTimeout
        )
        await withinColdLimit { [consuming] in await consuming.stopConsumers() }
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

    /// Sets the times after which a shutdown becomes a harder one; answers the end of the grace period.
    private func armShutdown() -> Alarm.Pending? {
        coldShutdown.whenOpen { [pool, celery, cancellation, logger] in
            let wait = celery.workerSoftShutdownTimeout
            guard wait > .zero, pool.runningCount > 0 || celery.workerEnableSoftShutdownOnIdle else {
                return cancellation.open()
            }
            logger.warning("Initiating Soft Shutdown, terminating in \(wait.seconds) seconds")
            Alarm.after(wait) { cancellation.open() }
        }
        return celery.workerShutdownGracePeriod.map { grace in
            Alarm.after(grace) { [coldShutdown, logger, pool] in
                if !coldShutdown.isOpen, pool.runningCount > 0 {
                    logger.warning(
                        "The grace period is over: cold shutdown",
                        metadata: ["running": "\(pool.runningCount)"]
                    )
                }
                coldShutdown.open()
            }
        }
    }

    /// Waits for the running tasks.
    ///
    /// A cold shutdown cancels them and does not wait for long.
    private func finishRunning() async {
        let ended = Gate<Bool>()
        pool.whenEnded { ended.open(true) }
        // A pool of processes kills at that time those that have not ended, and then tells what became of their tasks.
        let limit = configuration.cancellationTimeout + (configuration.pool == .processes ? Self.killTime : .zero)
        cancellation.whenOpen { [pool] in
            pool.cancelRunning()
            Alarm.after(limit) { ended.open(false) }
        }
        if await !ended.wait() {
            let left = pool.running
            logger.error("Tasks do not end after they were cancelled", metadata: ["running": "\(left.count)"])
            for request in left { finisher.abandon(request) }
        }
        // Celery waits out the time even if nothing runs, where it is told to.
        if coldShutdown.isOpen, celery.workerEnableSoftShutdownOnIdle { await cancellation.wait() }
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
