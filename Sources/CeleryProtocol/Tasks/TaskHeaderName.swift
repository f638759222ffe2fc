/// The headers of protocol 2 in the order in which Celery writes them.
///
/// Source: `celery.app.amqp.AMQP.as_task_v2`; `compression` comes from kombu, behind the custom headers.
enum TaskHeaderName: Int, CaseIterable {
    case lang
    case task
    case id
    case shadow
    case eta
    case expires
    case group
    case groupIndex
    case retries
    case timeLimit
    case rootID
    case parentID
    case argsrepr
    case kwargsrepr
    case origin
    case ignoreResult
    case replacedTaskNesting
    case stampedHeaders
    case stamps
    case compression
}

extension TaskHeaderName {
    /// Finds the header of a name on the wire; nil for a custom one.
    ///
    /// Every delivery brings some twenty names, so their length, which is known already, is asked before their text.
    init?(_ name: String) {
        let found: TaskHeaderName? =
            switch name.utf8.count {
            case 2: name == "id" ? .id : nil
            case 3: name == "eta" ? .eta : nil
            case 4: name == "task" ? .task : name == "lang" ? .lang : nil
            case 5: name == "group" ? .group : nil
            case 6: name == "shadow" ? .shadow : name == "origin" ? .origin : name == "stamps" ? .stamps : nil
            case 7: name == "expires" ? .expires : name == "retries" ? .retries : name == "root_id" ? .rootID : nil
            case 8: name == "argsrepr" ? .argsrepr : nil
            case 9: name == "timelimit" ? .timeLimit : name == "parent_id" ? .parentID : nil
            case 10: name == "kwargsrepr" ? .kwargsrepr : nil
            case 11: name == "group_index" ? .groupIndex : name == "compression" ? .compression : nil
            case 13: name == "ignore_result" ? .ignoreResult : nil
            case 15: name == "stamped_headers" ? .stampedHeaders : nil
            case 21: name == "replaced_task_nesting" ? .replacedTaskNesting : nil
            default: nil
            }
        guard let found else { return nil }
        self = found
    }

    /// Finds the header of a name, with a guess: most tables come in Celery's order.
    init?(_ name: String, expecting guess: TaskHeaderName?) {
        if let guess, name == guess.wireName {
            self = guess
        } else {
            self.init(name)
        }
    }

    /// The header that Celery writes next.
    var next: TaskHeaderName? { TaskHeaderName(rawValue: rawValue + 1) }

    /// The header's name on the wire.
    var wireName: String {
        switch self {
        case .lang: "lang"
        case .task: "task"
        case .id: "id"
        case .shadow: "shadow"
        case .eta: "eta"
        case .expires: "expires"
        case .group: "group"
        case .groupIndex: "group_index"
        case .retries: "retries"
        case .timeLimit: "timelimit"
        case .rootID: "root_id"
        case .parentID: "parent_id"
        case .argsrepr: "argsrepr"
        case .kwargsrepr: "kwargsrepr"
        case .origin: "origin"
        case .ignoreResult: "ignore_result"
        case .replacedTaskNesting: "replaced_task_nesting"
        case .stampedHeaders: "stamped_headers"
        case .stamps: "stamps"
        case .compression: "compression"
        }
    }
}
