import FoundationEssentials

/// What Python, kombu and Celery made of random values and texts: `Vectors/vectors.json`, written by `Vectors/generate.py`.
struct PythonVectors: Decodable {
    /// A JSON text, what Python writes after reading it, and the short texts of it; nil where Python refuses to read it.
    struct JSONText: Decodable {
        let text: String
        let dumps: String?
        let repr: String?
        let argsrepr: String?
    }

    /// The short text of a value within limits.
    struct Repr: Decodable {
        let text: String
        let tuple: Bool
        let length: Int
        let levels: Int
        let repr: String
    }

    /// A float's text, the bits of the float and Python's text for it.
    struct Float: Decodable {
        let bits: String
        let repr: String
        let text: String
    }

    /// A text and Python's `isoformat()` of what it reads there; nil where Python refuses it.
    struct ISOText: Decodable {
        let text: String
        let iso: String?
    }

    /// A text and Python's decimal of it; nil where Python refuses it.
    struct DecimalNumber: Decodable {
        let text: String
        let decimal: String?
    }

    let json: [JSONText]
    let repr: [Repr]
    let floats: [Float]
    let dates: [ISOText]
    let times: [ISOText]
    let decimals: [DecimalNumber]

    /// Reads the file; tests fail where it is missing.
    static func load() throws -> PythonVectors {
        try JSONDecoder().decode(PythonVectors.self, from: try Self.data(of: "vectors.json"))
    }

    /// A file of the folder `Vectors`, which lies beside this file's own.
    static func data(of name: String) throws -> Data {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        return try Data(contentsOf: folder.appending(path: "Vectors").appending(path: name))
    }
}
