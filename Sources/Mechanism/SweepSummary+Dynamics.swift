import InContextRegression
import Kernels
import Statistics

extension SweepSummary {
    /// Error averaged over k against the steps of fine-tuning, under an evaluation layout; nil when that was not
    /// measured.
    ///
    /// - Parameters:
    ///   - group: runs that differ in their seed alone.
    ///   - layout: the runs' own layout or `cpt`.
    public func errorAlongSteps(_ group: RunGroup, layout: PromptLayout) -> Curve? {
        guard let dynamics = dynamics(group) else { return nil }
        let measured = dynamics.compactMap { $0.errors[layout] }
        guard measured.count == dynamics.count else { return nil }
        let samples = zip(measured, dynamics).map { steps, dynamics in
            columns(steps.map { rowMeans($0.array, columns: dynamics.points) })
        }
        return curve(
            finiteEstimates(samples, columns: dynamics[0].steps.count), x: dynamics[0].steps)
    }

    /// Gradient alignment under the own layout against the steps of fine-tuning, the query moved in every place:
    /// the mean over prompts and the context lengths measured; nil when it was not.
    public func alignmentAlongSteps(_ group: RunGroup) -> Curve? {
        guard let dynamics = dynamics(group), dynamics.allSatisfy({ !$0.both.isEmpty })
        else { return nil }
        let samples = dynamics.map { dynamics in
            columns(
                dynamics.both.map { finiteRowMeans($0.array, columns: dynamics.contexts.count) })
        }
        return curve(
            finiteEstimates(samples, columns: dynamics[0].steps.count), x: dynamics[0].steps)
    }

    /// Gradient alignment under the own layout at the last query alone, as it was published, against the steps of
    /// fine-tuning, the query moved in every place; nil when it was not measured.
    public func lastAlignmentAlongSteps(_ group: RunGroup) -> Curve? {
        guard let dynamics = dynamics(group), dynamics.allSatisfy({ !$0.both.isEmpty })
        else { return nil }
        let samples = dynamics.map { dynamics in
            let contexts = dynamics.contexts.count
            return columns(
                dynamics.both.map { values in
                    stride(from: contexts - 1, to: values.count, by: contexts).map { values[$0] }
                })
        }
        return curve(
            finiteEstimates(samples, columns: dynamics[0].steps.count), x: dynamics[0].steps)
    }

    /// Gradient alignment under the own layout against k after the last step, the query token moved alone; nil when
    /// it was not measured.
    public func alignmentAgainstContext(_ group: RunGroup) -> Curve? {
        guard let dynamics = dynamics(group) else { return nil }
        let samples = dynamics.compactMap { $0.token.last?.array }
        let points = dynamics[0].points
        guard samples.count == dynamics.count else { return nil }
        return curve(finiteEstimates(samples, columns: points), x: Array(0..<points))
    }

    /// The alignment of the Bayes predictor without a prefix against k, on the first 256 of the prompts that the
    /// group's alignment was measured on, or 32 of large ones: it takes 2d posteriors for each. Nil where none is known.
    ///
    /// - Parameter group: its class and sizes.
    public func alignmentOfBayesPredictor(_ group: RunGroup) -> Curve? {
        let configuration = group.runs[0].plan.configuration
        guard group.functionClass.hasGradient, let asked = configuration.evaluation.dynamics,
            asked.alignmentExamples > 0
        else { return nil }
        let points = configuration.training.points
        let dims = configuration.model.inputDimension
        let evaluator = Evaluator(
            functionClass: group.functionClass, dims: dims, points: points,
            examples: min(dims * points <= 100 ? 256 : 32, asked.alignmentExamples),
            seed: configuration.evaluation.seed)
        guard let found = GradientAlignment(evaluator).ofBayesPredictor() else { return nil }
        let cells = finiteEstimates([found.array], columns: points)
        return cells.allSatisfy { $0 == nil } ? nil : curve(cells, x: Array(0..<points))
    }

    /// What was measured along the steps of every run of a group; nil unless all have it, at the same steps.
    private func dynamics(_ group: RunGroup) -> [LearningDynamics]? {
        let all = group.runs.compactMap(\.dynamics)
        guard let first = all.first, all.count == group.runs.count, !first.steps.isEmpty,
            all.allSatisfy({ $0.steps == first.steps })
        else { return nil }
        return all
    }

    /// A matrix `[rows, columns]` from its columns.
    private func columns(_ columns: [[Float]]) -> [Float] {
        columns[0].indices.flatMap { row in columns.map { $0[row] } }
    }

    /// The estimate of every column from the prompts that have a finite value there under every seed, and how many
    /// these are; nil of a column without any.
    ///
    /// - Parameters:
    ///   - samples: one array per seed: `[prompts, columns]`.
    ///   - columns: values per prompt.
    func finiteEstimates(
        _ samples: [[Float]], columns: Int
    ) -> [(estimate: Estimate, prompts: Int)?] {
        (0..<columns).map { column in
            let values = samples.map { sample in
                stride(from: column, to: sample.count, by: columns).map { sample[$0] }
            }
            let rows = finiteRows(values)
            if rows.isEmpty { return nil }
            let kept = values.map { selecting($0, rows: rows) }
            let estimate = bootstraps.of(prompts: rows.count).estimates(kept, columns: 1)[0]
            return (estimate, rows.count)
        }
    }

    private func curve(_ cells: [(estimate: Estimate, prompts: Int)?], x: [Int]) -> Curve {
        Curve(
            x: x.map(Double.init), mean: cells.map { $0?.estimate.mean ?? .nan },
            low: cells.map { $0?.estimate.interval.low ?? .nan },
            high: cells.map { $0?.estimate.interval.high ?? .nan })
    }
}
