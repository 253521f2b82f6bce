/// A report as one self-contained HTML page: text, tables and pictures, and the runs behind them.
///
/// The page refers to nothing outside itself: styles are in it, pictures are `data:` URIs, links
/// lead to places on the page, and there are no scripts. Every text is plain and is escaped.
public struct ReportPage: Sendable {
    /// Heading of the page and title of the document.
    public var title: String
    /// Line below the heading, or nil.
    public var subtitle: String?
    /// The sections in reading order.
    public var sections: [ReportSection]
    /// The runs that tables and figures refer to, listed in a last section of their own; without
    /// any the section is left out.
    public var runs: [ReportRun]

    /// Makes a page.
    public init(
        title: String, subtitle: String? = nil, sections: [ReportSection], runs: [ReportRun] = []
    ) {
        self.title = title
        self.subtitle = subtitle
        self.sections = sections
        self.runs = runs
    }
}

/// A section with a heading, listed in the table of contents.
public struct ReportSection: Sendable {
    /// Heading of the section.
    public var title: String
    /// What it shows, in reading order.
    public var blocks: [ReportBlock]

    /// Makes a section.
    public init(title: String, blocks: [ReportBlock]) {
        self.title = title
        self.blocks = blocks
    }
}

/// A run that numbers and pictures come from.
public struct ReportRun: Sendable, Equatable {
    /// The name by which tables and figures refer to it, once in a page.
    public var id: String
    /// Hash of its configuration.
    public var hash: String
    /// Commit of the program that made it.
    public var commit: String
    /// Its configuration: a path, or the text itself, which is folded away where it has several
    /// lines.
    public var config: String

    /// Makes an entry of the list of runs.
    public init(id: String, hash: String, commit: String, config: String) {
        self.id = id
        self.hash = hash
        self.commit = commit
        self.config = config
    }
}

/// One piece of a section.
public enum ReportBlock: Sendable {
    /// A heading within the section, listed in the table of contents below it.
    case heading(String)
    /// A paragraph.
    case paragraph(String)
    /// Terms and what they mean or how large they are.
    case definitions([ReportDefinition])
    /// A table.
    case table(ReportTable)
    /// A picture.
    case figure(ReportFigure)
    /// A text to be copied as it stands.
    case code(ReportCode)
}

/// A term and its meaning or value.
public struct ReportDefinition: Sendable, Equatable {
    /// The term.
    public var term: String
    /// Its meaning or value.
    public var meaning: String

    /// Makes a definition.
    public init(_ term: String, _ meaning: String) {
        self.term = term
        self.meaning = meaning
    }
}

/// A command or another text to be copied as it stands.
public struct ReportCode: Sendable, Equatable {
    /// What it does, written above it, or nil.
    public var caption: String?
    /// The text, with its line ends.
    public var text: String

    /// Makes a block of code.
    public init(_ text: String, caption: String? = nil) {
        self.text = text
        self.caption = caption
    }
}

/// A table with one row of headings.
public struct ReportTable: Sendable {
    /// What the table shows, written above it, or nil.
    public var caption: String?
    /// Headings of the columns.
    public let header: [String]
    /// The rows, one cell per heading each.
    public let rows: [ReportRow]

    /// Makes a table; every row has one cell per heading.
    public init(caption: String? = nil, header: [String], rows: [ReportRow]) {
        precondition(
            rows.allSatisfy { $0.cells.count == header.count },
            "a row of a table has one cell per heading")
        self.caption = caption
        self.header = header
        self.rows = rows
    }
}

/// One row of a table.
public struct ReportRow: Sendable, Equatable {
    /// The cells from left to right.
    public var cells: [ReportCell]
    /// Identifiers of the runs the row's numbers come from. Where any row of a table has some,
    /// the table gets a last column in which they unfold.
    public var runs: [String]

    /// Makes a row.
    public init(_ cells: [ReportCell], runs: [String] = []) {
        self.cells = cells
        self.runs = runs
    }
}

/// What a cell of a table holds.
public enum ReportCell: Sendable, Equatable {
    /// Words, aligned left.
    case text(String)
    /// A number with its digits as given, aligned right in figures of one width.
    case number(String)
    /// A judgement, as a coloured badge with its words.
    case verdict(ReportVerdict)
}

/// What the data say about a claim.
public enum ReportVerdict: String, Sendable, CaseIterable {
    /// The data agree with the claim.
    case supported
    /// The data contradict the claim or do not show it.
    case notSupported
    /// Something else changed along with what the claim is about.
    case confounded
    /// There are no data.
    case missing
    /// No data could tell.
    case undecidable

    /// The words on the badge.
    public var label: String {
        switch self {
        case .supported: "supported"
        case .notSupported: "not supported"
        case .confounded: "confounded"
        case .missing: "missing"
        case .undecidable: "undecidable"
        }
    }

    /// A sign that tells the verdicts apart without their colours.
    var sign: String {
        switch self {
        case .supported: "✓"
        case .notSupported: "✗"
        case .confounded: "≈"
        case .missing: "–"
        case .undecidable: "?"
        }
    }
}
