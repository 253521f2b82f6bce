import InContextRegression
import Kernels
import Statistics

/// Error, or excess risk, averaged over k of every trained group under every evaluation layout.
public struct LayoutMatrix: Sendable {
    /// The rows: what was trained.
    public let groups: [RunGroup]
    /// The columns: what it was measured under.
    public let layouts: [PromptLayout]
    /// `[groups][layouts]`; nil where it was not measured.
    public let cells: [[Estimate?]]

    /// Whether a cell is of a model under the layout it was trained under.
    public func isOwn(_ row: Int, _ column: Int) -> Bool {
        groups[row].layout == layouts[column]
    }
}

extension SweepSummary {
    /// The trained × evaluated matrix of `groups`, with every layout that one of them was to be measured under: errors.
    public func layoutMatrix(_ groups: [RunGroup]) -> LayoutMatrix {
        matrix(groups, meanError)
    }

    /// The trained × evaluated matrix of `groups`: excess risk over the Bayes error of the column's layout.
    public func excessMatrix(_ groups: [RunGroup]) -> LayoutMatrix {
        matrix(groups, meanExcess)
    }

    private func matrix(
        _ groups: [RunGroup], _ measure: (RunGroup, PromptLayout) -> Estimate?
    ) -> LayoutMatrix {
        var layouts: [PromptLayout] = []
        for run in groups.flatMap(\.runs) {
            layouts += run.plan.configuration.evaluationLayouts.filter { !layouts.contains($0) }
        }
        return LayoutMatrix(
            groups: groups, layouts: layouts,
            cells: groups.map { group in layouts.map { measure(group, $0) } })
    }

    /// The distributions that one of `groups` was measured on under its own layout, in the sweep's order.
    public func distributions(_ groups: [RunGroup]) -> [PromptDistribution] {
        results.plan.evaluation.prompts.filter { distribution in
            groups.contains { group in
                let own = EvaluationSetting(layout: group.layout, distribution: distribution)
                return group.runs.contains { $0.cell(own) != nil }
            }
        }
    }

    /// Explained shares of variance against the layer, averaged over k: of f(x_query) and of w; nil when no probes were
    /// fitted. Layer 0 is the embedding.
    ///
    /// The interval is Student's t over seeds, NaN with one seed.
    public func probeCurves(_ group: RunGroup) -> (base: Curve, weights: Curve)? {
        let scores = group.runs.compactMap(\.probes)
        guard scores.count == group.runs.count, !scores.isEmpty else { return nil }
        let points = group.runs[0].plan.configuration.training.points
        func curve(_ values: [FloatView]) -> Curve {
            let layers = values.map { rowMeans($0.array, columns: points).map(Double.init) }
            let estimates = layers[0].indices.map { layer in
                let seeds = layers.map { $0[layer] }
                let interval = seeds.count > 1 ? Estimate.studentT(seeds).interval : nil
                return (mean: Summary(seeds).mean, interval: interval)
            }
            return Curve(
                x: estimates.indices.map(Double.init), mean: estimates.map(\.mean),
                low: estimates.map { $0.interval?.low ?? .nan },
                high: estimates.map { $0.interval?.high ?? .nan })
        }
        return (curve(scores.map(\.base)), curve(scores.map(\.weights)))
    }
}
