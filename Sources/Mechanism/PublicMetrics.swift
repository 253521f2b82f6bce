import Experiments
import InContextRegression
import Kernels
import Platform
import Statistics

/// The public code's `metrics.json`: {evaluation: {model: {mean, std, bootstrap_low, bootstrap_high}}}, each a list with
/// one number per k.
///
/// Source: `aggregate_metrics` and `get_model_from_run` of Garg et al.'s public code. The evaluation `standard` is the
/// run's own training layout, `standard-<layout>` another one.
public enum PublicMetrics {
    /// The aggregate of squared errors over prompts.
    ///
    /// mean and std are over the prompts, std with n − 1. The bounds are taken from 1000 bootstrap means over prompts,
    /// sorted: those at index 0.05 · 1000 = 50 and 0.95 · 1000 = 950. The resamples are ``CrossedBootstrap``'s with seed
    /// 0, where the public code draws anew on every call.
    ///
    /// - Parameters:
    ///   - errors: `[prompts, points]`, row-major.
    ///   - points: number of columns.
    ///   - bootstrap: the resamples, drawn for as many prompts.
    public static func aggregate(
        _ errors: [Float], points: Int, bootstrap: CrossedBootstrap
    ) -> JSONValue {
        let replicates = bootstrap.replicates([errors], columns: points)
        let columns = (0..<points).map { k in
            stride(from: k, to: errors.count, by: points).map { errors[$0] }
        }
        let summaries = columns.map { Summary($0) }
        let sorted = (0..<points).map { replicates.column($0).sorted() }
        let count = Double(bootstrap.resamples)
        return [
            "mean": JSONValue(summaries.map(\.mean)),
            "std": JSONValue(summaries.map(\.standardDeviation)),
            "bootstrap_low": JSONValue(sorted.map { $0[Int(0.05 * count)] }),
            "bootstrap_high": JSONValue(sorted.map { $0[Int(0.95 * count)] }),
        ]
    }

    /// The metrics of one or more runs.
    ///
    /// A model is named as the public code names it, `gpt2_embd=64_layer=4_head=4`, with `_<run name>` behind it when
    /// there are several runs (`_<sweep>_<run name>` where two have one name). The baselines of `evaluate.baselines` are
    /// computed again on a run's own prompts under their public names; where two runs have different prompts the later
    /// one's baselines carry its name too.
    ///
    /// - Parameters:
    ///   - runs: at least one run.
    ///   - workers: workers for the baselines; the results do not depend on it.
    /// - Throws: an error that names a file that is damaged, or a run that was never measured.
    public static func json(of runs: [RecordedRun], workers: Int) throws -> JSONValue {
        let pool = WorkerPool(workers: workers)
        var result: [String: [String: JSONValue]] = [:]
        var bootstraps: [Int: CrossedBootstrap] = [:]
        func bootstrap(_ prompts: Int) -> CrossedBootstrap {
            if let known = bootstraps[prompts] { return known }
            let drawn = CrossedBootstrap(prompts: prompts)
            bootstraps[prompts] = drawn
            return drawn
        }
        for run in runs {
            // A folder that does not say what it holds is not exported.
            _ = try run.run.directory.metadata()
            let evaluations = try run.evaluations()
            if evaluations.isEmpty {
                throw ModelFolderError(
                    description:
                        "\(run.run.directory.path) has no evaluations; finish the run with the same 'sandbox sweep', "
                        + "which measures it")
            }
            let baselines = try baselines(of: run, measuredAs: evaluations, pool: pool).map {
                baseline in
                (
                    baseline.name,
                    aggregate(
                        baseline.errors, points: baseline.points,
                        bootstrap: bootstrap(baseline.errors.count / baseline.points))
                )
            }
            for evaluation in evaluations {
                let name = evaluationName(evaluation, of: run)
                result[name, default: [:]][modelName(run, among: runs)] = aggregate(
                    evaluation.errors, points: evaluation.points,
                    bootstrap: bootstrap(evaluation.examples))
                for (baseline, values) in baselines {
                    let earlier = result[name]?[baseline]
                    let isOther = earlier != nil && earlier != values
                    result[name]?[isOther ? "\(baseline)_\(run.run.name)" : baseline] = values
                }
            }
        }
        return .object(result.mapValues { .object($0) })
    }

    /// `gpt2_embd=64_layer=4_head=4`, told apart by run where there are several.
    private static func modelName(_ run: RecordedRun, among runs: [RecordedRun]) -> String {
        let model = run.model
        let name =
            "\(model.family)_embd=\(model.embeddingDimension)_layer=\(model.layerCount)_head=\(model.headCount)"
        if runs.count == 1 { return name }
        let twins = runs.count { $0.run.name == run.run.name }
        return twins == 1 ? "\(name)_\(run.run.name)" : "\(name)_\(run.run.sweep)_\(run.run.name)"
    }

    private static func evaluationName(
        _ evaluation: RecordedEvaluation, of run: RecordedRun
    ) -> String {
        evaluation.layout == run.layout.name
            ? evaluation.prompt : "\(evaluation.prompt)-\(evaluation.layout)"
    }

    /// The public name of a baseline.
    static func publicName(_ baseline: any Baseline) -> String {
        switch baseline {
        case is LeastSquares: "OLS_driver=None"
        case let neighbors as NearestNeighbors: "NN_n=\(neighbors.count)_uniform"
        default: baseline.name
        }
    }

    private struct BaselineErrors {
        let name: String
        let points: Int
        let errors: [Float]
    }

    /// The baselines on the prompts the run was measured on; none when its files are of other prompts than its
    /// configuration asks for.
    private static func baselines(
        of run: RecordedRun, measuredAs evaluations: [RecordedEvaluation], pool: WorkerPool
    ) throws -> [BaselineErrors] {
        guard case .run(let configuration) = run.kind,
            evaluations.allSatisfy({
                $0.prompt == "standard" && $0.examples == configuration.evaluation.examples
                    && $0.points == configuration.training.points
            })
        else { return [] }
        let evaluator = Evaluator(
            functionClass: configuration.functionClass, dims: configuration.model.inputDimension,
            points: configuration.training.points, examples: configuration.evaluation.examples,
            seed: configuration.evaluation.seed)
        return try configuration.evaluation.baselines.filter { $0 != "bayes" }.map { name in
            let baseline = try Baselines.named(name)
            let errors = evaluator.squaredErrors(of: baseline, pool: pool)
            return BaselineErrors(
                name: publicName(baseline), points: evaluator.points, errors: errors.array)
        }
    }
}
