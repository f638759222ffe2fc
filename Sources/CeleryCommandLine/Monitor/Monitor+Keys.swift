import Celery

extension Monitor {
    /// What the keys do, as the page of help shows it.
    static let help = """
        j, ↓ / k, ↑      next, previous task or worker
        PgDn / PgUp      ten further
        g, Home / G, End first, last
        Tab              from tasks to workers and back
        i, Enter         all that is known of the task; of a worker its statistics
        r                result or exception of the task
        t                traceback of the task
        c                revoke the task
        x                terminate the task
        l                new rate limit for tasks of this name
        f, /             show only tasks whose id, name, worker or state contains a text
        p                hold the list still
        e                have all workers send events of their tasks
        ?, h             this page
        q, Ctrl-C        quit
        """

    /// Takes a key in; answers what somebody else has to do.
    mutating func press(_ key: Key) -> Action? {
        switch key {
        case .interrupt: return .quit
        case .suspend: return .suspend
        case .redraw: return .redraw
        default: break
        }
        note = ""
        switch mode {
        case .lists: return pressInLists(key)
        case .page(let page): pressInPage(key, page)
        case .question(_, let action):
            mode = .lists
            if key == .character("y") || key == .character("Y") { return action }
            note = "Nothing was done."
        case .prompt(let prompt, let line): return pressInPrompt(key, prompt, line)
        }
        return nil
    }

    private mutating func pressInLists(_ key: Key) -> Action? {
        switch key {
        case .up, .character("k"): move(by: -1)
        case .down, .character("j"): move(by: 1)
        case .pageUp: move(by: -10)
        case .pageDown: move(by: 10)
        case .home, .character("g"): move(by: -.max / 2)
        case .end, .character("G"): move(by: .max / 2)
        case .tab: pane = pane == .tasks ? .workers : .tasks
        case .escape: (selectedTask, selectedWorker, filter) = (nil, nil, "")
        case .character(let letter): return pressLetter(letter)
        case .enter: return pressLetter("i")
        case .backspace, .interrupt, .suspend, .redraw: break
        }
        return nil
    }

    private mutating func pressLetter(_ letter: Character) -> Action? {
        switch letter {
        case "q", "Q": return .quit
        case "?", "h": show("Keys", Self.help)
        case "f", "/": mode = .prompt(.filter, filter)
        case "p": togglePause()
        case "e": mode = .question("Have all workers send events of their tasks? (y/n)", .enableEvents)
        case "i" where pane == .workers: return withWorker { .inspect(worker: $0) }
        case "i": withTask { $0.show("Task \($1.id)", MonitorDetails.text($1)) }
        case "r": withTask { $0.show("Result of \($1.id)", $1.result ?? $1.exception ?? "No result yet.") }
        case "t": withTask { $0.show("Traceback of \($1.id)", $1.traceback ?? "No traceback.") }
        case "c": withTask { $0.ask("Revoke the task \($1.id)? (y/n)", .revoke(id: $1.id, terminate: false)) }
        case "x": withTask { $0.ask("Terminate the task \($1.id)? (y/n)", .revoke(id: $1.id, terminate: true)) }
        case "l":
            withTask { monitor, task in
                guard let name = task.name else { return monitor.note = "The task's name is not known." }
                monitor.mode = .prompt(.rateLimit(task: name), "")
            }
        default: break
        }
        return nil
    }

    private mutating func ask(_ question: String, _ action: Action) {
        mode = .question(question, action)
    }

    private mutating func withTask(_ body: (inout Monitor, ClusterTask) -> Void) {
        guard let task = selectedTask.flatMap({ cluster.task($0) }) else { return note = "No task is selected." }
        body(&self, task)
    }

    private mutating func withWorker(_ body: (String) -> Action) -> Action? {
        guard let selectedWorker else {
            note = "No worker is selected."
            return nil
        }
        note = "Asking \(selectedWorker)…"
        return body(selectedWorker)
    }

    private mutating func pressInPage(_ key: Key, _ page: Page) {
        var page = page
        let last = page.text.count { $0 == "\n" }
        switch key {
        case .up, .character("k"): page.top -= 1
        case .down, .character("j"): page.top += 1
        case .pageUp: page.top -= 10
        case .pageDown, .character(" "): page.top += 10
        case .home, .character("g"): page.top = 0
        case .end, .character("G"): page.top = last
        default:
            mode = .lists
            return
        }
        page.top = min(max(page.top, 0), last)
        mode = .page(page)
    }

    private mutating func pressInPrompt(_ key: Key, _ prompt: Prompt, _ line: String) -> Action? {
        switch key {
        case .escape: mode = .lists
        case .enter:
            mode = .lists
            switch prompt {
            case .filter: filter = line
            case .rateLimit(let task) where !line.isEmpty: return .rateLimit(task: task, limit: line)
            case .rateLimit: note = "Nothing was done."
            }
        default: edit(key, prompt, line)
        }
        return nil
    }
}
