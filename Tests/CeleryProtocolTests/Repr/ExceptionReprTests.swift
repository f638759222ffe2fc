import CeleryProtocol
import Testing

/// Texts of exceptions, as Python 3.11 shows them.
@Suite struct ExceptionReprTests {
    static let cases: [(arguments: [JSONValue], text: String)] = [
        ([], "E()"), (["x"], "E('x')"), (["it's"], #"E("it's")"#), ([#"a "b""#], #"E('a "b"')"#),
        ([#"'a' "b""#], #"E('\'a\' "b"')"#), (["a\\b\n\r\t\u{0}\u{7f}"], #"E('a\\b\n\r\t\x00\x7f')"#),
        (["\u{e9}\u{a0}\u{200b}\u{2028}\u{1f600}\u{e0001}"], "E('\u{e9}\\xa0\\u200b\\u2028\u{1f600}\\U000e0001')"),
        ([1, 2.5, nil, true], "E(1, 2.5, None, True)"),
        ([["it's", ["k'": ["v\n"]]]], #"E(["it's", {"k'": ['v\n']}])"#),
    ]

    @Test(arguments: cases.indices)
    func isPythons(_ index: Int) {
        let (arguments, text) = Self.cases[index]
        #expect(ExceptionInfo(type: "E", arguments: arguments).pythonRepr == text)
    }
}
