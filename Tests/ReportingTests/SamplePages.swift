import Foundation

@testable import Reporting

/// Pages like those of a sweep.
enum SamplePages {
    /// A PNG of one white pixel.
    static let pixel = Data(
        [
            0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 0x0D, 0x49, 0x48, 0x44, 0x52,
            0, 0, 0, 1, 0, 0, 0, 1, 8, 2, 0, 0, 0, 0x90, 0x77, 0x53, 0xDE, 0, 0, 0, 0x0C, 0x49,
            0x44, 0x41, 0x54, 0x78, 0x9C, 0x63, 0xF8, 0xFF, 0xFF, 0x3F, 0, 5, 0xFE, 2, 0xFE,
            0x0D, 0xEF, 0x46, 0xB8, 0, 0, 0, 0, 0x49, 0x45, 0x4E, 0x44, 0xAE, 0x42, 0x60, 0x82,
        ])

    /// A page with every kind of block, all its texts made from `text`.
    static func page(
        text: (String) -> String = { $0 }, picture: Data = pixel
    ) throws -> ReportPage {
        let runs = (0..<3).map { index in
            ReportRun(
                id: text("linear-s\(index)"), hash: text("cf50a85\(index)"),
                commit: text("4d5eefb"),
                config: text(index == 0 ? "configs/linear.yaml" : "seed: \(index)\nsteps: 8000"))
        }
        let results = ReportSection(
            title: text("Results"),
            blocks: [
                .paragraph(text("Every model is trained from the same base.")),
                .definitions([ReportDefinition(text("seeds"), text("3"))]),
                .heading(text("Claims")),
                .table(table(text)),
                .heading(text("Pictures")),
                .figure(
                    try ReportFigure(
                        png: picture, alternativeText: text("error against k"),
                        caption: text("Error against context length."),
                        runs: [runs[0].id, runs[1].id])),
            ])
        let again = ReportSection(
            title: text("Doing it again"),
            blocks: [
                .code(
                    ReportCode(text("sandbox sweep\n  --seeds 3"), caption: text("This page."))),
                .table(ReportTable(header: [text("a"), text("b")], rows: [])),
                .definitions([]),
            ])
        return ReportPage(
            title: text("Layouts of a prompt"), subtitle: text("one base, 3 seeds"),
            sections: [results, again], runs: runs)
    }

    private static func table(_ text: (String) -> String) -> ReportTable {
        let rows = ReportVerdict.allCases.enumerated().map { index, verdict in
            ReportRow(
                [.text(text("claim \(index)")), .number(text("0.0\(index)10")), .verdict(verdict)],
                runs: index >= 3 ? [] : [text("linear-s\(index)"), text("elsewhere")])
        }
        return ReportTable(
            caption: text("What the data say"),
            header: [text("claim"), text("error"), text("verdict")], rows: rows)
    }
}
