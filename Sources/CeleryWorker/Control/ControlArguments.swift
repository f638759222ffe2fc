import Celery
import CeleryProtocol

// The arguments of Celery's own commands, with the errors of Python for what has another type.
extension JSONObject {
    /// One text or a list of them (Celery's `maybe_list`); null and missing are none.
    func texts(_ name: String) throws(TaskError) -> [String] {
        switch self[name] {
        case nil, .null?: return []
        case .string(let text)?: return [text]
        case .array(let elements)?:
            var texts: [String] = []
            for element in elements {
                guard let text = element.stringValue else { throw .type("'\(name)' has to be a list of texts") }
                texts.append(text)
            }
            return texts
        default: throw .type("'\(name)' has to be a text, or a list of texts")
        }
    }

    /// A text; nil where it is missing or null.
    func text(_ name: String) throws(TaskError) -> String? {
        switch self[name] {
        case nil, .null?: return nil
        case .string(let text)?: return text
        default: throw .type("'\(name)' has to be a text")
        }
    }

    /// A whole number, also as text; nil where it is missing or null.
    func integer(_ name: String) throws(TaskError) -> Int? {
        switch self[name] {
        case nil, .null?: return nil
        case .int(let number)?: return number
        case .string(let text)?:
            guard let number = Int(text) else {
                throw .value("invalid literal for int() with base 10: \(PythonLiteral.text(of: .string(text)))")
            }
            return number
        default: throw .type("'\(name)' has to be an integer")
        }
    }

    /// Seconds, also as text; nil where they are missing or null.
    func seconds(_ name: String) throws(TaskError) -> Duration? {
        let number: Double?
        switch self[name] {
        case nil, .null?: return nil
        case .string(let text)?: number = Double(text)
        case let value?: number = value.doubleValue
        }
        guard let number, number.isFinite, number >= 0 else { throw .value("'\(name)' has to be a number of seconds") }
        return .seconds(Swift.min(number, 1e9))
    }
}
