import CeleryProtocol
import Testing

/// The short texts, compared with what `celery.utils.saferepr` makes.
@Suite struct PythonReprVectorTests {
    let vectors: PythonVectors

    init() throws {
        vectors = try PythonVectors.load()
    }

    @Test func showsValuesAsCeleryDoes() throws {
        for vector in vectors.json {
            guard let repr = vector.repr, let argsrepr = vector.argsrepr else { continue }
            let value = try JSONValue(parsing: Array(vector.text.utf8))
            #expect(PythonRepr.repr(value, maxLength: .max) == repr)
            #expect(PythonRepr.arguments([value]) == argsrepr)
        }
    }

    @Test func cutsTextsAsCeleryDoes() throws {
        for vector in vectors.repr {
            let value = try JSONValue(parsing: Array(vector.text.utf8))
            let (levels, length) = (vector.levels, vector.length)
            let text =
                vector.tuple
                ? PythonRepr.arguments(value.arrayValue ?? [], maxLevels: levels, maxLength: length)
                : PythonRepr.repr(value, maxLevels: levels, maxLength: length)
            #expect(text == vector.repr, "\(vector.text), \(levels) levels, \(length) characters")
        }
    }
}
