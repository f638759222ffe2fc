/// A table or an array is nested more deeply than `MessageLimits.depthLimit`.
///
/// Swift frees and compares nested values level by level: without a limit a message could overflow any thread's stack.
struct TableTooDeep: Error {}
