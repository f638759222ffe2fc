/// What a typed name says about its task beside its types; shared by all of its calls.
package final class DeclaredTask: Sendable {
    /// The task's own options, which count where a send leaves them out (a Python task's attributes).
    package let options: TaskOptions
    /// Whether there are any.
    package let hasOptions: Bool

    package init(options: TaskOptions) {
        self.options = options
        hasOptions = options != TaskOptions()
    }
}
