import Experiments
import InContextRegression
import Kernels
import Platform
import Training
import Transformer

/// What was measured of one run along its steps: the same prompts after 1, 2, 5, 10, … updates.
public struct LearningDynamics: Sendable {
    /// Updates done at each measurement, ascending.
    public let steps: [Int]
    /// n.
    public let points: Int
    /// Squared errors by layout: `[steps][examples, n]`.
    public let errors: [PromptLayout: [FloatView]]
    /// Alignment under the run's own layout, the query moved in every place: `[steps][prompts, contexts]`; empty when it
    /// was not measured.
    public let both: [FloatView]
    /// Alignment under the run's own layout, the query token moved alone: `[steps][prompts, n]`.
    public let token: [FloatView]
    /// The context lengths of ``both``.
    public let contexts: [Int]
}

/// Measures a finished run along its steps, and what else is computed from many prompts at once, into the folder
/// `analysis/`; reads what is there.
struct RunAnalysis {
    let directory: RunDirectory
    let configuration: RunConfiguration
    let baseHash: String

    init(_ run: PlannedRun, in directory: RunDirectory) {
        self.directory = directory
        configuration = run.configuration
        baseHash = run.base.hash
    }

    var layout: PromptLayout { configuration.layout }

    func evaluator(_ examples: Int) -> Evaluator {
        Evaluator(
            functionClass: configuration.functionClass, dims: configuration.model.inputDimension,
            points: configuration.training.points, examples: examples,
            seed: configuration.evaluation.seed)
    }

    private func identity(_ examples: Int) -> JSONValue {
        [
            "layout": .string(layout.name),
            "function_class": .string(configuration.functionClass.name),
            "dims": .integer(configuration.model.inputDimension),
            "points": .integer(configuration.training.points), "examples": .integer(examples),
            "seed": .integer(Int(configuration.evaluation.seed)),
        ]
    }

    /// Whether everything is measured that is asked for and can be.
    var isComplete: Bool {
        get throws {
            try
                (configuration.evaluation.dynamics == nil || !missingSnapshots.isEmpty
                || dynamics() != nil) && (!wantsProbes || probes() != nil)
        }
    }

    /// Measures what is asked for and not there yet.
    ///
    /// - Parameters:
    ///   - workers: workers of every pass.
    ///   - reporter: told how far it is, and what cannot be measured.
    func measure(workers: Int, reporter: RunReporter) throws -> TrainingOutcome {
        if let asked, try dynamics() == nil {
            let missing = missingSnapshots
            if !missing.isEmpty {
                reporter.noticed(
                    "'\(directory.snapshotPath(step: missing[0]))' is missing, so \(directory.name) cannot be measured "
                        + "along its steps; train it again with --restart and training.snapshots=log"
                )
            } else if try measureDynamics(asked, workers: workers, reporter) == .interrupted {
                return .interrupted
            }
        }
        if wantsProbes, try probes() == nil {
            return try measureProbes(workers: workers)
        }
        return .finished
    }

    // MARK: Along the steps

    /// What is to be measured along the steps; nothing of a run without steps.
    var asked: DynamicsConfiguration? {
        steps.isEmpty ? nil : configuration.evaluation.dynamics
    }

    /// The steps that are measured: those whose weights are kept, and the last.
    var steps: [Int] {
        let last = configuration.training.steps
        let kept = configuration.recording.snapshots.steps(through: last)
        return last == 0 || kept.last == last ? kept : kept + [last]
    }

    private var missingSnapshots: [Int] {
        if configuration.recording.snapshots == .never { return [1] }
        return steps.filter {
            $0 != configuration.training.steps
                && !Folder.holdsFile(directory.snapshotPath(step: $0))
        }
    }

    var layouts: [PromptLayout] { layout == .cpt ? [.cpt] : [layout, .cpt] }

    private func file(_ asked: DynamicsConfiguration) throws -> AnalysisFile {
        try AnalysisFile(
            folder: directory.analysisPath, kind: "dynamics",
            identity: identity(asked.examples).merging([
                "alignment_examples": .integer(alignmentExamples(asked)),
                "steps": .array(steps.map(JSONValue.integer)),
            ]))
    }

    func alignmentExamples(_ asked: DynamicsConfiguration) -> Int {
        configuration.functionClass.hasGradient ? asked.alignmentExamples : 0
    }

    /// What was measured along the steps; nil when that is not asked for, or not there.
    func dynamics() throws -> LearningDynamics? {
        guard let asked, let found = try file(asked).read() else { return nil }
        let n = configuration.training.points
        func parts(_ name: String, _ size: Int) -> [FloatView]? {
            guard let all = found[name], all.count == steps.count * size else { return nil }
            return steps.indices.map { all[$0 * size..<($0 + 1) * size] }
        }
        var errors: [PromptLayout: [FloatView]] = [:]
        for layout in layouts {
            guard let measured = parts("squared_error.\(layout.name)", asked.examples * n) else {
                return nil
            }
            errors[layout] = measured
        }
        let aligned = alignmentExamples(asked)
        let both = parts("gradient_alignment.both", aligned * contexts.count)
        let token = parts("gradient_alignment.token", aligned * n)
        if aligned > 0 && (both == nil || token == nil) { return nil }
        return LearningDynamics(
            steps: steps, points: n, errors: errors, both: both ?? [], token: token ?? [],
            contexts: contexts)
    }

    var contexts: [Int] {
        configuration.functionClass.hasGradient ? GradientAlignment(evaluator(2)).contexts : []
    }

    private func measureDynamics(
        _ asked: DynamicsConfiguration, workers: Int, _ reporter: RunReporter
    ) throws -> TrainingOutcome {
        let last = try StoredModel(folder: directory.path)
        let (decoder, n) = (last.decoder, configuration.training.points)
        let evaluator = evaluator(asked.examples)
        let aligned = alignmentExamples(asked)
        let alignment = aligned > 0 ? GradientAlignment(self.evaluator(aligned)) : nil
        let model = ParallelDecoder(
            decoder, workers: workers,
            batches: layouts.flatMap { evaluator.shapes(EvaluationSetting(layout: $0)) }
                + (alignment?.shapes(layout) ?? []),
            forTraining: true)
        let size = asked.examples * n
        let errors = layouts.map { _ in FloatView(zeros: steps.count * size) }
        let both = FloatView(zeros: steps.count * aligned * contexts.count)
        let token = FloatView(zeros: steps.count * aligned * n)
        reporter.began("measuring \(directory.name) along its steps", steps.count)
        defer { reporter.ended() }
        for (place, step) in steps.enumerated() {
            let isLast = step == configuration.training.steps
            let parameters =
                isLast
                ? last.parameters
                : try readPublicParameters(
                    directory.snapshotPath(step: step), layout: decoder.layout)
            let weights = decoder.weights(in: parameters)
            for (index, layout) in layouts.enumerated() {
                guard
                    let measured = evaluator.errors(
                        of: model, weights: weights, EvaluationSetting(layout: layout))
                else { return .interrupted }
                errors[index].set(measured.errors, at: place)
            }
            if let alignment {
                guard let moved = alignment.both(of: model, weights: weights, layout: layout),
                    let alone = alignment.token(of: model, weights: weights, layout: layout)
                else { return .interrupted }
                both.set(moved, at: place)
                token.set(alone, at: place)
            }
            let mean = errors[0][place * size..<(place + 1) * size].array.reduce(0.0) {
                $0 + Double($1)
            }
            reporter.stepped(place + 1, mean / Double(size))
        }
        var measured = zip(layouts, errors).map { layout, values in
            ("squared_error.\(layout.name)", [steps.count, asked.examples, n], values)
        }
        if aligned > 0 {
            measured.append(
                ("gradient_alignment.both", [steps.count, aligned, contexts.count], both))
            measured.append(("gradient_alignment.token", [steps.count, aligned, n], token))
        }
        try file(asked).write(measured)
        return .finished
    }

    // MARK: Probes

    var wantsProbes: Bool {
        configuration.evaluation.probeExamples != nil && configuration.functionClass.hasBase
    }

    private func probeFile(_ examples: Int) throws -> AnalysisFile {
        try AnalysisFile(
            folder: directory.analysisPath, kind: "probes",
            identity: identity(examples).merging(["penalty": .number(LayerProbes.penalty)]))
    }

    /// The probes' scores after the last step; nil when they are not asked for, or not there.
    func probes() throws -> LayerProbes.Scores? {
        guard let examples = configuration.evaluation.probeExamples,
            let found = try probeFile(examples).read(), let base = found["r2.f"],
            let weights = found["r2.w"]
        else { return nil }
        return LayerProbes.Scores(base: base, weights: weights)
    }

    private func measureProbes(workers: Int) throws -> TrainingOutcome {
        let examples = configuration.evaluation.probeExamples ?? 0
        let stored = try StoredModel(folder: directory.path)
        let evaluator = evaluator(examples)
        let setting = EvaluationSetting(layout: layout)
        let model = ParallelDecoder(
            stored.decoder, workers: workers,
            batches: evaluator.forms(setting).map {
                BatchShape(examples: examples, length: $0.tokenCount)
            }, forTraining: true)
        guard
            let scores = LayerProbes(evaluator).scores(
                of: model, weights: stored.decoder.weights(in: stored.parameters), layout: layout)
        else { return .interrupted }
        let shape = [configuration.model.layerCount + 1, configuration.training.points]
        try probeFile(examples).write([
            ("r2.f", shape, scores.base), ("r2.w", shape, scores.weights),
        ])
        return .finished
    }
}

extension FloatView {
    /// Copies `values` to the place-th stretch of their length.
    fileprivate func set(_ values: FloatView, at place: Int) {
        self[place * values.count..<(place + 1) * values.count].copy(from: values)
    }
}
