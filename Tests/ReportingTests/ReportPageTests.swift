import Foundation
import TestSupport
import Testing

@testable import Reporting

@Suite struct ReportPageTests {
    private func document(_ page: ReportPage) -> ReportDocument { ReportDocument(page.html()) }

    @Test func thePageIsWellFormed() throws {
        let page = document(try SamplePages.page())
        #expect(page.problem == nil)
        #expect(page.texts("title") == ["Layouts of a prompt"])
        #expect(page.texts("h1") == ["Layouts of a prompt"])
        #expect(page.texts("h2") == ["Results", "Doing it again", "Runs"])
        #expect(page.texts("h3") == ["Claims", "Pictures"])
        #expect(page.texts("dt") == ["seeds"] && page.texts("dd") == ["3"])
        #expect(document(ReportPage(title: "", sections: [])).problem == nil)
        // The parser does find what is wrong.
        #expect(ReportDocument("<!DOCTYPE html><html><p></html>").problem != nil)
        #expect(ReportDocument("<!DOCTYPE html><html>\u{1}</html>").problem != nil)
    }

    @Test func nothingOutsideThePageIsReferredTo() throws {
        let html = try SamplePages.page().html()
        for word in [
            "http://", "https://", "url(", "@import", "<link", "<script", "javascript:", "srcset",
            "<iframe", "<object", "<base",
        ] {
            #expect(!html.lowercased().contains(word), "\(word)")
        }
        let sources = html.components(separatedBy: "src=").dropFirst()
        #expect(sources.count == 1)
        #expect(sources.allSatisfy { $0.hasPrefix("\"data:image/png;base64,") })
        for element in ReportDocument(html).elements {
            #expect(!element.attributes.keys.contains { $0.hasPrefix("on") || $0 == "style" })
            #expect(element.attributes["href"].map { $0.hasPrefix("#") } ?? true)
        }
    }

    @Test func everyAnchorHasItsTarget() throws {
        for page in [
            try SamplePages.page(), try SamplePages.page { "\($0) \"#<é>" },
            try SamplePages.page { _ in "the same" },
        ] {
            let document = document(page)
            let targets = document.elements.compactMap { $0.attributes["id"] }
            #expect(Set(targets).count == targets.count)
            let links = document.all("a").compactMap { $0.attributes["href"] }
            // Three sections, two headings, and the runs of four tables' and figures' lists.
            #expect(links.count >= 10)
            for link in links { #expect(targets.contains(String(link.dropFirst())), "\(link)") }
        }
    }

    @Test func everyPictureHasAnAlternativeTextAndItsSize() throws {
        let images = document(try SamplePages.page()).all("img")
        #expect(images.count == 1)
        for image in images {
            #expect(image.attributes["alt"] == "error against k")
            #expect(image.attributes["width"] == "1" && image.attributes["height"] == "1")
            let source = try #require(image.attributes["src"])
            let encoded = source.dropFirst("data:image/png;base64,".count)
            #expect(Data(base64Encoded: String(encoded)) == SamplePages.pixel)
        }
    }

    @Test(arguments: [
        "</td></tr></table><script>alert(1)</script>", "\" onmouseover=\"alert(1)",
        "' onfocus='alert(1)", "]]><!--", "--> &amp; &#60; &nbsp;", "<![CDATA[", "</style>",
        "<img src=x>", "a\u{202E}b",
    ])
    func hostileTextIsText(_ hostile: String) throws {
        let page = try SamplePages.page { "\($0) \(hostile)" }
        let html = page.html()
        let document = ReportDocument(html)
        #expect(document.problem == nil)
        let shown = hostile.replacingOccurrences(of: "\u{202E}", with: "")
        #expect(document.texts("h1") == ["Layouts of a prompt \(shown)"])
        #expect(document.all("img").first?.attributes["alt"] == "error against k \(shown)")
        #expect(document.texts("pre").contains("sandbox sweep\n  --seeds 3 \(shown)"))
        #expect(document.texts("td").contains("0.0210 \(shown)"))
        // The same elements as from harmless text; only the class tells longer words.
        let harmless = ReportDocument(try SamplePages.page().html())
        #expect(document.elements.map(\.name) == harmless.elements.map(\.name))
        #expect(
            document.elements.map { $0.attributes.keys.filter { $0 != "class" }.sorted() }
                == harmless.elements.map {
                    $0.attributes.keys.filter { $0 != "class" }.sorted()
                })
    }

    @Test func controlCharactersAreLeftOut() {
        let controls = (0...0x1F).map { String(Unicode.Scalar(UInt8($0))) }.joined()
        #expect(HTMLText.escaped("a\(controls)b\u{7F}\u{85}c") == "a\t\nbc")
        let nonCharacters = [0xFFFE, 0xFFFF, 0x1FFFF, 0xFDD0].compactMap {
            Unicode.Scalar(UInt32($0)).map(String.init)
        }
        #expect(nonCharacters.count == 4)
        #expect(HTMLText.escaped("a\(nonCharacters.joined())é名∇🙂") == "aé名∇🙂")
        #expect(HTMLText.escaped("&<>\"'") == "&amp;&lt;&gt;&quot;&#39;")
        #expect(HTMLText.escaped("line\r\nend") == "line\nend")
        #expect(document(ReportPage(title: "a\u{0}b\(controls)", sections: [])).problem == nil)
    }

    @Test func verdictsHaveWordsAndSigns() throws {
        let badges = document(try SamplePages.page()).all("span").filter {
            $0.attributes["class"]?.hasPrefix("badge ") == true
        }
        #expect(
            badges.map(\.text) == [
                "✓ supported", "✗ not supported", "≈ confounded", "– missing", "? undecidable",
            ])
        for verdict in ReportVerdict.allCases {
            #expect(ReportStyle.sheet.contains(".\(verdict.rawValue) { color:"))
        }
    }

    @Test func numbersKeepTheirDigitsAndStandRight() throws {
        let document = document(try SamplePages.page())
        let numbers = document.all("td").filter { $0.attributes["class"] == "number" }
        #expect(numbers.map(\.text) == ["0.0010", "0.0110", "0.0210", "0.0310", "0.0410"])
        let headings = document.all("th").filter { $0.attributes["class"] == "number" }
        #expect(headings.map(\.text) == ["error"])
        #expect(ReportStyle.sheet.contains("tabular-nums"))
    }

    @Test func tablesScrollInTheirOwnBoxAndOnlyLongWordsBreak() throws {
        let long = "a claim of more than twenty-four characters"
        let table = ReportTable(
            caption: "Claims", header: ["claim", "n"],
            rows: [ReportRow([.text(long), .number("1")]), ReportRow([.text("cft"), .text("x")])])
        let document = document(
            ReportPage(title: "t", sections: [ReportSection(title: "s", blocks: [.table(table)])]))
        #expect(document.texts("figcaption") == ["Claims"])
        let box = try #require(document.all("div").first { $0.attributes["class"] == "scroll" })
        #expect(box.attributes["aria-label"] == "Claims" && box.attributes["tabindex"] == "0")
        #expect(box.text.contains(long) && !box.text.contains("Claims"))
        #expect(
            document.all("td").filter { $0.attributes["class"] == "long" }.map(\.text) == [long])
        // No runs, no column for them.
        #expect(document.texts("th") == ["claim", "n"])
    }

    @Test func rowsAndPicturesLeadToTheirRuns() throws {
        let document = document(try SamplePages.page())
        // Three rows with runs and one picture; a run that is not listed is named without a link.
        let lists = document.all("details").filter { $0.attributes["class"] == "run-list" }
        #expect(
            lists.map(\.text) == [
                "2 runslinear-s0elsewhere", "2 runslinear-s1elsewhere",
                "2 runslinear-s2elsewhere", "drawn from 2 runslinear-s0linear-s1",
            ])
        let links = document.all("a").filter { $0.attributes["href"]?.hasPrefix("#run-") == true }
        #expect(links.map(\.text).filter { $0 == "elsewhere" }.isEmpty)
        #expect(
            links.map { $0.attributes["href"] } == [
                "#run-1", "#run-2", "#run-3", "#run-1", "#run-2",
            ])
        let rows = document.all("tr").filter { $0.attributes["id"] != nil }
        #expect(rows.compactMap { $0.attributes["id"] } == ["run-1", "run-2", "run-3"])
        #expect(rows[0].text == "linear-s0cf50a8504d5eefbconfigs/linear.yaml")
        #expect(rows[1].text.hasSuffix("showseed: 1\nsteps: 8000"))
        var bare = try SamplePages.page()
        bare.runs = []
        #expect(self.document(bare).texts("h2") == ["Results", "Doing it again"])
    }

    @Test func aRunNamedTwiceIsListedTwiceAndLinkedOnce() throws {
        var page = try SamplePages.page()
        page.runs.append(page.runs[0])
        let ids = document(page).all("tr").compactMap { $0.attributes["id"] }
        #expect(ids == ["run-1", "run-2", "run-3"])
        #expect(document(page).texts("td").filter { $0 == "linear-s0" }.count == 2)
    }

    @Test func aPictureThatIsNoWholePNGIsRefused() {
        for bytes in [
            Data(), Data("<svg></svg>".utf8), Data(SamplePages.pixel.dropLast()),
            Data(SamplePages.pixel.dropFirst()),
        ] {
            #expect(throws: ReportError.notPNG(alternativeText: "a curve")) {
                try ReportFigure(png: bytes, alternativeText: "a curve")
            }
        }
        #expect(
            ReportError.notPNG(alternativeText: "a curve").description
                == "The picture \"a curve\" is not a whole PNG file: draw it again.")
    }

    /// The colours of one theme's custom properties, by name.
    private func colors(_ theme: String) -> [String: Double] {
        var result: [String: Double] = [:]
        for match in theme.matches(of: /--([a-z-]+): #([0-9a-f]{6});/) {
            guard let value = Int(match.2, radix: 16) else { continue }
            let linear = [16, 8, 0].map { shift -> Double in
                let share = Double(value >> shift & 255) / 255
                return share <= 0.04045 ? share / 12.92 : pow((share + 0.055) / 1.055, 2.4)
            }
            result[String(match.1)] = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
        }
        return result
    }

    @Test func everyTextIsReadableInEveryTheme() throws {
        let themes = ReportStyle.sheet.components(separatedBy: ":root {").dropFirst()
        #expect(themes.count == 3)
        for theme in themes {
            let colors = colors(String(theme.prefix { $0 != "}" }))
            for (text, ground) in [
                ("text", "ground"), ("faint", "ground"), ("link", "ground"), ("text", "soft"),
                ("link", "soft"), ("text", "mark"), ("good", "good-ground"),
                ("bad", "bad-ground"), ("doubt", "doubt-ground"), ("none", "none-ground"),
            ] {
                let pair = [try #require(colors[text]), try #require(colors[ground])].sorted()
                #expect((pair[1] + 0.05) / (pair[0] + 0.05) >= 4.5, "\(text) on \(ground)")
            }
        }
    }
}
