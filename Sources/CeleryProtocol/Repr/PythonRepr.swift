/// The short, Python-like texts that Celery shows of arguments and results, as `celery.utils.saferepr` makes them.
///
/// They are informational: the headers `argsrepr` and `kwargsrepr`, events, logs, Flower and `celery inspect` show them.
/// Unlike Python's `repr`, strings keep everything but single quotes as it is.
public enum PythonRepr {
    /// How deep containers are shown, Celery's `task_repr_maxlevels`.
    public static let defaultMaxLevels = 3
    /// How many characters a text may have, a few closing brackets aside.
    public static let defaultMaxLength = 1024

    /// The text of positional arguments, a tuple: `(1, 'two')`, `(1,)`, `()`.
    ///
    /// - Parameters:
    ///   - args: the arguments.
    ///   - maxLevels: containers deeper than this collapse to `[...]` or `{...}`; 0 is without limit.
    ///   - maxLength: the budget in Unicode scalars; what exceeds it becomes `...`.
    public static func arguments(
        _ args: [JSONValue],
        maxLevels: Int = defaultMaxLevels,
        maxLength: Int = defaultMaxLength
    ) -> String {
        var writer = ReprWriter(maxLevels: maxLevels, maxLength: maxLength)
        writer.writeSequence(args, opening: "(", closing: args.count == 1 ? ",)" : ")")
        return writer.text
    }

    /// The text of keyword arguments, a dictionary: `{'width': 640}`.
    ///
    /// - Parameters:
    ///   - kwargs: the arguments by name.
    ///   - maxLevels: containers deeper than this collapse to `[...]` or `{...}`; 0 is without limit.
    ///   - maxLength: the budget in Unicode scalars; what exceeds it becomes `...`.
    public static func keywords(
        _ kwargs: JSONObject,
        maxLevels: Int = defaultMaxLevels,
        maxLength: Int = defaultMaxLength
    ) -> String {
        var writer = ReprWriter(maxLevels: maxLevels, maxLength: maxLength)
        writer.write(.object(kwargs))
        return writer.text
    }

    /// The text of any value, such as a result.
    ///
    /// - Parameters:
    ///   - value: the value.
    ///   - maxLevels: containers deeper than this collapse to `[...]` or `{...}`; 0 is without limit.
    ///   - maxLength: the budget in Unicode scalars; what exceeds it becomes `...`.
    public static func repr(
        _ value: JSONValue,
        maxLevels: Int = defaultMaxLevels,
        maxLength: Int = defaultMaxLength
    ) -> String {
        var writer = ReprWriter(maxLevels: maxLevels, maxLength: maxLength)
        writer.write(value)
        return writer.text
    }
}
