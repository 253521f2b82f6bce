import Foundation

extension ReportPage {
    /// The page as an HTML5 document that is well-formed XML too.
    public func html() -> String {
        let contents = Contents(self)
        let blocks = BlockHTML(contents: contents)
        var body = contents.sections.map { entry in
            """
            <section id="\(entry.anchor)">
            <h2>\(HTMLText.escaped(entry.title))</h2>
            \(blocks.html(entry))
            </section>
            """
        }
        if !runs.isEmpty { body.append(runsSection(contents)) }
        let name = HTMLText.escaped(title)
        let below = subtitle.map { "\n<p class=\"subtitle\">\(HTMLText.escaped($0))</p>" } ?? ""
        return """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8" />
            <meta name="viewport" content="width=device-width, initial-scale=1" />
            <meta name="color-scheme" content="light dark" />
            <title>\(name)</title>
            <style>
            \(ReportStyle.sheet)
            </style>
            </head>
            <body>
            <header id="top">
            <h1>\(name)</h1>\(below)
            </header>
            <div class="columns">
            \(contentsList(contents))
            <main>
            \(body.joined(separator: "\n"))
            </main>
            </div>
            </body>
            </html>

            """
    }

    private func contentsList(_ contents: Contents) -> String {
        func link(_ anchor: String, _ title: String) -> String {
            "<a href=\"#\(anchor)\">\(HTMLText.escaped(title))</a>"
        }
        var items = contents.sections.map { section -> String in
            let headings = section.headings.map { "<li>\(link($0.anchor, $0.title))</li>" }
            let below = headings.isEmpty ? "" : "\n<ol>\(headings.joined())</ol>"
            return "<li>\(link(section.anchor, section.title))\(below)</li>"
        }
        if !runs.isEmpty { items.append("<li>\(link(Contents.runsAnchor, "Runs"))</li>") }
        guard !items.isEmpty else { return "" }
        return """
            <nav aria-label="Contents">
            <p class="nav-title">Contents</p>
            <ol>
            \(items.joined(separator: "\n"))
            </ol>
            </nav>
            """
    }

    private func runsSection(_ contents: Contents) -> String {
        let rows = runs.enumerated().map { index, run -> String in
            // A second entry of the same name is listed, but the links lead to the first.
            let anchor = contents.runAnchors[run.id]
            let isFirst = anchor == Contents.runAnchor(index)
            let id = isFirst ? " id=\"\(Contents.runAnchor(index))\"" : ""
            let cells = [run.id, run.hash, run.commit].map {
                "<td><code>\(HTMLText.escaped($0))</code></td>"
            }
            return "<tr\(id)>\(cells.joined())<td>\(configuration(run.config))</td></tr>"
        }
        return """
            <section id="\(Contents.runsAnchor)">
            <h2>Runs</h2>
            <div class="scroll" tabindex="0" role="region" aria-label="Runs">
            <table class="runs">
            <thead>
            <tr><th scope="col">run</th><th scope="col">hash</th><th scope="col">commit</th>\
            <th scope="col">configuration</th></tr>
            </thead>
            <tbody>
            \(rows.joined(separator: "\n"))
            </tbody>
            </table>
            </div>
            </section>
            """
    }

    private func configuration(_ text: String) -> String {
        let escaped = HTMLText.escaped(text)
        guard escaped.contains("\n") else { return "<code>\(escaped)</code>" }
        return "<details><summary>show</summary><pre><code>\(escaped)</code></pre></details>"
    }
}

/// The places on the page that can be linked to, named by their order so that no title can break
/// a name.
struct Contents {
    /// A heading and its place.
    struct Heading {
        let anchor: String
        let title: String
    }

    /// A section, its place and those of its headings.
    struct Section {
        let anchor: String
        let title: String
        let blocks: [ReportBlock]
        let headings: [Heading]
    }

    let sections: [Section]
    /// The place of each run by its identifier.
    let runAnchors: [String: String]

    static let runsAnchor = "runs"

    static func runAnchor(_ index: Int) -> String { "run-\(index + 1)" }

    init(_ page: ReportPage) {
        sections = page.sections.enumerated().map { number, section in
            let titles = section.blocks.compactMap { block -> String? in
                if case .heading(let title) = block { title } else { nil }
            }
            return Section(
                anchor: "section-\(number + 1)", title: section.title, blocks: section.blocks,
                headings: titles.enumerated().map { index, title in
                    Heading(anchor: "section-\(number + 1)-\(index + 1)", title: title)
                })
        }
        let pairs = page.runs.enumerated().map { ($1.id, Contents.runAnchor($0)) }
        runAnchors = Dictionary(pairs, uniquingKeysWith: { first, _ in first })
    }
}
