import Foundation

#if canImport(FoundationXML)
    import FoundationXML
#endif

/// A page as an XML parser sees it.
final class ReportDocument: NSObject, XMLParserDelegate {
    /// An element with its attributes and the text directly and indirectly in it.
    struct Element {
        var name: String
        var attributes: [String: String]
        var text = ""
    }

    /// All elements in the order in which they end.
    private(set) var elements: [Element] = []
    /// Why it is not well-formed; nil when it is.
    private(set) var problem: String?
    private var open: [Element] = []

    init(_ html: String) {
        super.init()
        let parser = XMLParser(data: Data(html.utf8))
        parser.delegate = self
        // On Linux a mismatched tag is reported to the delegate, and `parse` is content.
        if !parser.parse() || parser.parserError != nil {
            problem = problem ?? "\(parser.parserError.map { "\($0)" } ?? "unknown")"
        }
    }

    /// The elements of one name.
    func all(_ name: String) -> [Element] { elements.filter { $0.name == name } }

    /// The texts of the elements of one name.
    func texts(_ name: String) -> [String] { all(name).map(\.text) }

    func parser(
        _ parser: XMLParser, didStartElement name: String, namespaceURI: String?,
        qualifiedName: String?, attributes: [String: String]
    ) {
        open.append(Element(name: name, attributes: attributes))
    }

    func parser(_ parser: XMLParser, foundCharacters text: String) {
        for index in open.indices { open[index].text += text }
    }

    func parser(
        _ parser: XMLParser, didEndElement name: String, namespaceURI: String?,
        qualifiedName: String?
    ) {
        if let element = open.popLast() { elements.append(element) }
    }

    func parser(_ parser: XMLParser, parseErrorOccurred error: any Error) {
        problem = problem ?? "line \(parser.lineNumber): \(error)"
    }
}
