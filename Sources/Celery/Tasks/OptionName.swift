/// The keys of `apply_async`'s options, as they stand in a signature.
enum OptionName: String {
    case queue
    case exchange
    case routingKey = "routing_key"
    case priority
    case deliveryMode = "delivery_mode"
    case countdown
    case eta
    case expires
    case timeLimit = "time_limit"
    case softTimeLimit = "soft_time_limit"
    case taskID = "task_id"
    case rootID = "root_id"
    case parentID = "parent_id"
    case replyTo = "reply_to"
    case groupID = "group_id"
    case chord
    case groupIndex = "group_index"
    case chain
    case headers
    case shadow
    case argsrepr
    case kwargsrepr
    case messageID = "message_id"
    case timestamp
    case type
    case userID = "user_id"
    case appID = "app_id"
    case ignoreResult = "ignore_result"
    case link
    case linkError = "link_error"
    case retries
    case retry
    case retryPolicy = "retry_policy"
    case replacedTaskNesting = "replaced_task_nesting"
    case origin
    case stampedHeaders = "stamped_headers"
}
