import Foundation

#if canImport(FoundationXML)
    import FoundationXML
#endif

/// A page as an XML parser sees it.
public final class ReportDocument: NSObject, XMLParserDelegate {
    /// An element with its attributes and the text directly and indirectly in it.
    public struct Element {
        /// Its name.
        public var name: String
        /// Its attributes by name.
        public var attributes: [String: String]
        /// All text in it.
        public var text = ""
    }

    /// All elements in the order in which they end.
    public private(set) var elements: [Element] = []
    /// Why it is not well-formed; nil when it is.
    public private(set) var problem: String?
    private var open: [Element] = []

    /// Parses a page.
    public init(_ html: String) {
        super.init()
        let parser = XMLParser(data: Data(html.utf8))
        parser.delegate = self
        // On Linux a mismatched tag is reported to the delegate, and `parse` is content.
        if !parser.parse() || parser.parserError != nil {
            problem = problem ?? "\(parser.parserError.map { "\($0)" } ?? "unknown")"
        }
    }

    /// The elements of one name.
    public func all(_ name: String) -> [Element] { elements.filter { $0.name == name } }

    /// The texts of the elements of one name.
    public func texts(_ name: String) -> [String] { all(name).map(\.text) }

    /// Part of the parser's delegate.
    public func parser(
        _ parser: XMLParser, didStartElement name: String, namespaceURI: String?,
        qualifiedName: String?, attributes: [String: String]
    ) {
        open.append(Element(name: name, attributes: attributes))
    }

    /// Part of the parser's delegate.
    public func parser(_ parser: XMLParser, foundCharacters text: String) {
        for index in open.indices { open[index].text += text }
    }

    /// Part of the parser's delegate.
    public func parser(
        _ parser: XMLParser, didEndElement name: String, namespaceURI: String?,
        qualifiedName: String?
    ) {
        if let element = open.popLast() { elements.append(element) }
    }

    /// Part of the parser's delegate.
    public func parser(_ parser: XMLParser, parseErrorOccurred error: any Error) {
        problem = problem ?? "line \(parser.lineNumber): \(error)"
    }
}
