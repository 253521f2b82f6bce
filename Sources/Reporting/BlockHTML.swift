import Foundation

/// Writes the blocks of a section.
struct BlockHTML {
    let contents: Contents

    /// The blocks of a section, one below the other.
    func html(_ section: Contents.Section) -> String {
        var headings = section.headings[...]
        return section.blocks.map { block in
            switch block {
            case .heading(let title):
                let anchor = headings.popFirst()?.anchor
                let id = anchor.map { " id=\"\($0)\"" } ?? ""
                return "<h3\(id)>\(HTMLText.escaped(title))</h3>"
            case .paragraph(let text): return "<p>\(HTMLText.escaped(text))</p>"
            case .definitions(let list): return html(list)
            case .table(let table): return html(table)
            case .figure(let figure): return html(figure)
            case .code(let code): return html(code)
            }
        }.joined(separator: "\n")
    }

    private func html(_ definitions: [ReportDefinition]) -> String {
        // HTML has no empty list of definitions.
        guard !definitions.isEmpty else { return "" }
        let pairs = definitions.map {
            "<dt>\(HTMLText.escaped($0.term))</dt><dd>\(HTMLText.escaped($0.meaning))</dd>"
        }
        return "<dl>\n\(pairs.joined(separator: "\n"))\n</dl>"
    }

    private func html(_ code: ReportCode) -> String {
        let caption = code.caption.map { "<figcaption>\(HTMLText.escaped($0))</figcaption>\n" }
        return """
            <figure class="code">
            \(caption ?? "")<pre tabindex="0"><code>\(HTMLText.escaped(code.text))</code></pre>
            </figure>
            """
    }

    private func html(_ figure: ReportFigure) -> String {
        let caption = figure.caption.map { "<p>\(HTMLText.escaped($0))</p>\n" } ?? ""
        let runs = figure.runs.isEmpty ? "" : "\(html(runs: figure.runs, prefix: "drawn from "))\n"
        let below =
            caption.isEmpty && runs.isEmpty
            ? "" : "\n<figcaption>\n\(caption)\(runs)</figcaption>"
        return """
            <figure class="picture">
            <img src="data:image/png;base64,\(figure.png.base64EncodedString())" \
            width="\(figure.size.width)" height="\(figure.size.height)" \
            alt="\(HTMLText.escaped(figure.alternativeText))" />\(below)
            </figure>
            """
    }

    // MARK: Tables

    private func html(_ table: ReportTable) -> String {
        let hasRuns = table.rows.contains { !$0.runs.isEmpty }
        let headings = table.header.indices.map { column -> String in
            let isNumeric = table.rows.contains { row in
                if case .number = row.cells[column] { true } else { false }
            }
            let style = isNumeric ? " class=\"number\"" : ""
            return "<th scope=\"col\"\(style)>\(HTMLText.escaped(table.header[column]))</th>"
        }
        let rows = table.rows.map { row -> String in
            let runs = hasRuns ? "<td>\(html(runs: row.runs, prefix: ""))</td>" : ""
            return "<tr>\(row.cells.map(html).joined())\(runs)</tr>"
        }
        let name = HTMLText.escaped(table.caption ?? "Table")
        // Above the box that scrolls, where it breaks into lines of the page's width.
        let caption = table.caption.map { "<figcaption>\(HTMLText.escaped($0))</figcaption>\n" }
        return """
            <figure class="table">
            \(caption ?? "")<div class="scroll" tabindex="0" role="region" aria-label="\(name)">
            <table>
            <thead>
            <tr>\(headings.joined())\(hasRuns ? "<th scope=\"col\">runs</th>" : "")</tr>
            </thead>
            <tbody>
            \(rows.joined(separator: "\n"))
            </tbody>
            </table>
            </div>
            </figure>
            """
    }

    /// Words beyond this many characters are broken into lines; shorter ones are not.
    private static let longText = 24

    private func html(_ cell: ReportCell) -> String {
        switch cell {
        case .text(let text) where text.count > Self.longText:
            "<td class=\"long\">\(HTMLText.escaped(text))</td>"
        case .text(let text): "<td>\(HTMLText.escaped(text))</td>"
        case .number(let digits): "<td class=\"number\">\(HTMLText.escaped(digits))</td>"
        case .verdict(let verdict):
            """
            <td><span class="badge \(verdict.rawValue)"><span aria-hidden="true">\
            \(verdict.sign)</span> \(verdict.label)</span></td>
            """
        }
    }

    /// Runs that unfold, each a link to its entry where the page has one.
    private func html(runs: [String], prefix: String) -> String {
        guard !runs.isEmpty else { return "" }
        let items = runs.map { id -> String in
            let name = "<code>\(HTMLText.escaped(id))</code>"
            guard let anchor = contents.runAnchors[id] else { return "<li>\(name)</li>" }
            return "<li><a href=\"#\(anchor)\">\(name)</a></li>"
        }
        let summary = "\(prefix)\(runs.count) \(runs.count == 1 ? "run" : "runs")"
        return """
            <details class="run-list"><summary>\(summary)</summary><ul>\(items.joined())</ul>\
            </details>
            """
    }
}
