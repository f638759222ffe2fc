import Celery
import FoundationEssentials

/// The live view of a fleet: draws a ``Monitor`` on the terminal, and feeds it with events and keys.
struct LiveView {
    /// How often keys and events are looked for.
    private static let interval = Duration.milliseconds(50)
    /// How long a screen stays at least while only events change it.
    private static let frameTime = Duration.milliseconds(200)

    let receiver: EventReceiver
    let actions: LiveActions
    let inbox: LiveInbox
    let broker: String
    let isColored: Bool
    let terminal = Terminal()

    /// Runs until the person quits.
    ///
    /// - Throws: `CommandFailure` where there is no terminal, or events cannot be had.
    func run() async throws {
        guard terminal.isThere else {
            throw CommandFailure("The live view needs a terminal; use --dump to print events as lines.", status: .usage)
        }
        let trap = SignalTrap([.terminate, .interrupt, .hangUp, .quit]) { [inbox] _ in inbox.end(.success(())) }
        let pump = Task { [self] in await pumpEvents() }
        defer {
            pump.cancel()
            trap.stop()
        }
        try terminal.open()
        defer { terminal.close() }
        try await loop()
    }

    private func pumpEvents() async {
        do {
            for try await event in receiver {
                inbox.put(event)
                while inbox.isFull, !Task.isCancelled { try? await Task.sleep(for: Self.interval) }
            }
        } catch let error as CeleryError {
            inbox.end(.failure(CommandFailure(error)))
        } catch {
            inbox.end(.failure(CommandFailure("\(error)")))
        }
    }

    private func loop() async throws {
        var monitor = Monitor()
        monitor.broker = broker
        var keys = KeyReader()
        var shown: [ScreenLine] = []
        var lastFrame = ContinuousClock.now
        while true {
            guard let bytes = terminal.read() else { return }
            let pressed = keys.keys(bytes)
            for key in pressed {
                switch monitor.press(key) {
                case .quit?: return
                case .suspend?:
                    try terminal.suspend()
                    shown = []
                case .redraw?: shown = []
                case let action?: actions.perform(action)
                case nil: break
                }
            }
            let contents = inbox.take()
            if let end = contents.end { return try end.get() }
            apply(contents, to: &monitor)
            let now = Date().timeIntervalSince1970
            monitor.tick(now: now)
            if !pressed.isEmpty || shown.isEmpty || lastFrame.duration(to: .now) >= Self.frameTime {
                let lines = MonitorScreen(monitor: monitor, size: terminal.size, now: now).lines
                if lines != shown { terminal.draw(lines, isColored: isColored) }
                shown = lines
                lastFrame = .now
            }
            try await Task.sleep(for: Self.interval)
        }
    }

    private func apply(_ contents: LiveInbox.Contents, to monitor: inout Monitor) {
        for event in contents.events { monitor.cluster.apply(event) }
        if let isConnected = contents.isConnected { monitor.isConnected = isConnected }
        if let note = contents.note { monitor.note = note }
        if let page = contents.page { monitor.mode = .page(page) }
        monitor.droppedCount = receiver.counters.dropped
    }
}
