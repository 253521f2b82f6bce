/// Text as it stands in the page.
enum HTMLText {
    /// The text with the five characters of the markup written as references and without control
    /// characters, which neither HTML nor XML allows; line ends and tabs stay.
    ///
    /// Good between tags and in quoted attributes. Source: XML 1.0 (fifth edition), section 2.2
    /// "Characters" and 2.4 "Character Data and Markup".
    static func escaped(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result.append(contentsOf: "&amp;".unicodeScalars)
            case "<": result.append(contentsOf: "&lt;".unicodeScalars)
            case ">": result.append(contentsOf: "&gt;".unicodeScalars)
            case "\"": result.append(contentsOf: "&quot;".unicodeScalars)
            case "'": result.append(contentsOf: "&#39;".unicodeScalars)
            case "\n", "\t": result.append(scalar)
            default: if !isForbidden(scalar) { result.append(scalar) }
            }
        }
        return String(result)
    }

    /// Control characters, code points that are no characters, and the marks that turn the
    /// direction of writing beyond their own text.
    private static func isForbidden(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x00...0x1F, 0x7F...0x9F: true
        case 0x202A...0x202E, 0x2066...0x2069: true
        case 0xFDD0...0xFDEF: true
        default: scalar.value & 0xFFFE == 0xFFFE
        }
    }
}
