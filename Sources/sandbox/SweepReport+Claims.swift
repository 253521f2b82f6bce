import Mechanism
import Reporting

/// What became of the claims.
extension SweepReport {
    /// The verdicts of each class after the last step, the comparisons behind them, what is missing, and the verdicts
    /// along the steps.
    func claims() -> [ReportSection] {
        let (last, alongSteps) = ClaimAssessment.claims(
            summary, command: ReportWords.command(manifest))
        let groups = last.filter { $0.id == .base }
        var blocks: [ReportBlock] = [
            .paragraph(
                "A claim is supported when the whole 95 % interval of every comparison lies on the claimed "
                    + "side, and confounded when a difference is there that what the prompts themselves "
                    + "tell could explain. The prompts are the same for every model and crossed with the "
                    + "seeds. With one base model a verdict is conditional on it."),
            .definitions(Claim.allCases.map { ReportDefinition($0.rawValue, $0.sentence) }),
        ]
        for group in groups {
            func belongs(_ result: ClaimResult) -> Bool {
                result.functionClass == group.functionClass
                    && result.parameters == group.parameters
            }
            if groups.count > 1 {
                let title = FigureWords.title(ofClass: group.functionClass)
                blocks.append(.heading(title + (group.parameters.map { ", \($0)" } ?? "")))
            }
            let results = last.filter(belongs)
            blocks.append(.table(verdicts(results)))
            if results.contains(where: { $0.comparisons.count > 1 }) {
                blocks.append(.table(comparisons(results)))
            }
            blocks.append(.definitions(notes(results)))
            let earlier = alongSteps.filter(belongs)
            if !earlier.isEmpty { blocks.append(.table(progress(earlier))) }
        }
        return [ReportSection(title: "Claims", blocks: blocks)]
    }

    private func verdicts(_ results: [ClaimResult]) -> ReportTable {
        ReportTable(
            caption:
                "Verdicts after the last step. The effect is that of the comparison that decides, the "
                + "one whose interval reaches lowest; of base it is the largest deviation over all k.",
            header: [
                "claim", "verdict", "effect [95 % interval]", "unit", "steps", "seeds", "bases",
            ],
            rows: results.map { result in
                let isDecided = result.verdict != nil
                let interval =
                    result.low == nil && result.high == nil
                    ? result.id == .leak && result.verdict == "confounded" ? " (−∞, ∞)" : ""
                    : " \(ReportWords.interval(result.low, result.high))"
                return ReportRow(
                    [
                        .text(result.id.rawValue), .verdict(badge(result)),
                        .number(ReportWords.number(result.effect) + interval),
                        .text(unit(result)), .number(String(result.steps)),
                        .number(isDecided ? String(result.seeds) : "–"),
                        .number(isDecided ? String(result.bases) : "–"),
                    ], runs: result.runs)
            })
    }

    /// Short enough for a table of many columns.
    private func unit(_ result: ClaimResult) -> String {
        switch result.id {
        case .base: "|model − LS| / d"
        case .gradient: "mean cosine"
        case .leak: "share of the gap"
        default: result.unit
        }
    }

    private func comparisons(_ results: [ClaimResult]) -> ReportTable {
        ReportTable(
            caption:
                "Every comparison, with its 95 % interval; all of a claim's must hold (of semantics "
                + "the first two).",
            header: ["claim", "comparison", "effect", "95 % interval", "unit"],
            rows: results.flatMap { result in
                result.comparisons.map { comparison in
                    ReportRow(
                        [
                            .text(result.id.rawValue), .text(comparison.name),
                            .number(ReportWords.number(comparison.effect)),
                            .number(ReportWords.interval(comparison.low, comparison.high)),
                            .text(unit(result)),
                        ], runs: result.runs)
                }
            })
    }

    /// Why there is no verdict, or what has to be known about it; claims that share a reason share a line.
    private func notes(_ results: [ClaimResult]) -> [ReportDefinition] {
        var notes: [ReportDefinition] = []
        for result in results {
            guard let reason = result.reason else { continue }
            let text = reason + (result.command.map { "; to add it: \($0)" } ?? "")
            if let place = notes.firstIndex(where: { $0.meaning == text }) {
                notes[place].term += ", \(result.id.rawValue)"
            } else {
                notes.append(ReportDefinition(result.id.rawValue, text))
            }
        }
        return notes
    }

    /// A row for each earlier step, a column for each claim.
    private func progress(_ earlier: [ClaimResult]) -> ReportTable {
        let claims = Claim.allCases.filter { claim in earlier.contains { $0.id == claim } }
        // The results come step by step; several budgets of one class follow each other.
        var steps: [[ClaimResult]] = []
        for result in earlier {
            if steps.last?.first?.steps == result.steps {
                steps[steps.count - 1].append(result)
            } else {
                steps.append([result])
            }
        }
        return ReportTable(
            caption:
                "Verdicts at earlier steps, on fewer prompts: whether a claim holds can depend on when "
                + "training stops.",
            header: ["step"] + claims.map(\.rawValue),
            rows: steps.map { results in
                let cells = claims.map { claim in
                    results.first { $0.id == claim }.map { ReportCell.verdict(badge($0)) }
                        ?? .text("–")
                }
                var runs: [String] = []
                for run in results.flatMap(\.runs) where !runs.contains(run) { runs.append(run) }
                return ReportRow([.number(String(results[0].steps))] + cells, runs: runs)
            })
    }

    private func badge(_ result: ClaimResult) -> ReportVerdict {
        switch result.verdict {
        case "supported": .supported
        case "not supported": .notSupported
        case "confounded": .confounded
        default: result.command == nil ? .undecidable : .missing
        }
    }
}
