import Foundation
import Mechanism

/// Claims as a table for people: the eight claims down, classes across.
struct ClaimsTable {
    /// One class of one sweep.
    private struct Column {
        let heading: String
        let functionClass: String
        let source: SourcedClaims
        let results: [Claim: ClaimResult]
    }

    private let columns: [Column]
    private let sources: [SourcedClaims]

    init(_ sources: [SourcedClaims]) {
        self.sources = sources
        let pairs = sources.flatMap { source in
            Self.groups(source.file.claims).map { (source, $0) }
        }
        let names = pairs.map { $0.1[0].functionClass }
        columns = pairs.map { source, results in
            let name = results[0].functionClass
            let isAlone = names.filter { $0 == name }.count == 1
            let sweep = source.file.sweep
            let hasOthers = source.file.claims.contains { $0.functionClass != name }
            return Column(
                heading: (isAlone || sweep == name ? name : hasOthers ? "\(sweep) \(name)" : sweep)
                    + (results[0].parameters.map { ", \($0)" } ?? ""),
                functionClass: name, source: source,
                results: Dictionary(results.map { ($0.id, $0) }) { first, _ in first })
        }
    }

    /// The results of one column each: eight claims in a row.
    private static func groups(_ results: [ClaimResult]) -> [[ClaimResult]] {
        stride(from: 0, to: results.count, by: Claim.allCases.count).map {
            Array(results[$0..<min($0 + Claim.allCases.count, results.count)])
        }
    }

    /// Verdicts, effects with intervals, what each column rests on, and what is missing.
    var text: String {
        var lines = [["claim"] + columns.map(\.heading)]
        for claim in Claim.allCases {
            let cells = columns.map { $0.results[claim] }
            lines.append([claim.rawValue] + cells.map { $0?.word ?? "–" })
            lines.append(["  \(claim.unit)"] + cells.map(Self.effect))
        }
        var text = TextTable.text(lines) + "\n"
        for claim in Claim.allCases {
            text += "\(claim.rawValue): \(claim.sentence)\n"
        }
        text += "\n" + columns.map(Self.footing).joined() + remarks
        text += columns.flatMap(Self.gaps).joined()
        return text
    }

    private static func effect(_ result: ClaimResult?) -> String {
        guard let result, let effect = result.effect else { return "" }
        let interval =
            result.low == nil && result.high == nil
            // The share of a gap that may be 0 excludes nothing.
            ? result.id == .leak && result.verdict == "confounded" ? " [-∞, ∞]" : " [no interval]"
            : " [\(number(result.low, "-∞")), \(number(result.high, "∞"))]"
        return "  " + number(effect, "") + interval
    }

    private static func number(_ value: Double?, _ missing: String) -> String {
        value.map { String(format: "%.3g", $0) } ?? missing
    }

    /// What a column rests on.
    private static func footing(_ column: Column) -> String {
        let results = Claim.allCases.compactMap { column.results[$0] }
        let decided = results.filter { $0.verdict != nil && $0.id != .base }
        if decided.isEmpty {
            return
                "\(column.heading): no claim about fine-tuning is decided; \(column.source.file.model); "
                + origin(column.source)
        }
        let steps = decided.map(\.steps).max() ?? 0
        let seeds = decided.map(\.seeds)
        let bases = decided.map(\.bases).max() ?? 0
        let prompts = decided.compactMap(\.prompts).max() ?? 0
        let range =
            seeds.min() == seeds.max()
            ? "\(seeds.max() ?? 0)" : "\(seeds.min() ?? 0)–\(seeds.max() ?? 0)"
        let across = seeds.max() == 1 ? "1 seed (intervals over prompts alone)" : "\(range) seeds"
        return "\(column.heading): \(steps) steps, \(across), "
            + (bases == 1 ? "conditional on one base model" : "\(bases) base models")
            + ", up to \(prompts) prompts; \(column.source.file.model); "
            + origin(column.source)
    }

    private static func origin(_ source: SourcedClaims) -> String {
        let absence = source.absence.map { ": \($0)" } ?? ""
        return source.isCommitted
            ? "committed in \(source.origin), not recomputed\(absence)\n"
            : "recomputed from \(source.origin)" + (absence.isEmpty ? "" : " in part\(absence)")
                + "\n"
    }

    /// What has to be known about verdicts; columns that share it share a line.
    private var remarks: String {
        var lines: [(claim: Claim, reason: String, columns: [String])] = []
        for claim in Claim.allCases {
            for column in columns {
                guard let result = column.results[claim], result.verdict != nil,
                    let reason = result.reason
                else { continue }
                if let place = lines.firstIndex(where: { $0.claim == claim && $0.reason == reason })
                {
                    lines[place].columns.append(column.heading)
                } else {
                    lines.append((claim, reason, [column.heading]))
                }
            }
        }
        return lines.map { claim, reason, columns in
            "\(columns.joined(separator: ", ")), \(claim.rawValue): \(reason)\n"
        }.joined()
    }

    /// What could not be decided, and the command that makes what is missing.
    private static func gaps(_ column: Column) -> [String] {
        Claim.allCases.compactMap { column.results[$0] }.filter { $0.verdict == nil }.map {
            "\(column.heading), \($0.id.rawValue): \($0.reason ?? "not decided")"
                + ($0.command.map { "; make it with: \($0)" } ?? "") + "\n"
        }
    }

    /// The verdicts after earlier steps, class by class.
    var alongSteps: String {
        columns.map { column in
            let results = column.source.file.alongSteps.filter {
                $0.functionClass == column.functionClass
                    && $0.parameters == column.results[.base]?.parameters
            }
            let claims = Claim.allCases.filter { claim in results.contains { $0.id == claim } }
            if claims.isEmpty {
                return "\n\(column.heading): nothing was measured along the steps\n"
            }
            let steps = Set(results.map(\.steps)).sorted()
            let lines = steps.map { step in
                [String(step)]
                    + claims.map { claim in
                        let result = results.first { $0.id == claim && $0.steps == step }
                        return result.map { $0.word + Self.effect($0) } ?? "–"
                    }
            }
            let prompts = results.compactMap(\.prompts).max() ?? 0
            return "\n\(column.heading), verdicts against steps (up to \(prompts) prompts)\n"
                + TextTable.text([["steps"] + claims.map(\.rawValue)] + lines)
        }.joined()
    }
}
