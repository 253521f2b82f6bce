import Experiments
import InContextRegression
import Kernels
import Transformer

extension EvaluationStore {
    /// The evaluations of a run after its last step.
    init(_ run: PlannedRun, in directory: RunDirectory) {
        let configuration = run.configuration
        self.init(
            directory: directory, step: configuration.training.steps,
            evaluator: Self.evaluator(configuration))
    }

    /// The prompts of a run's evaluation.
    static func evaluator(_ configuration: RunConfiguration) -> Evaluator {
        Evaluator(
            functionClass: configuration.functionClass, dims: configuration.model.inputDimension,
            points: configuration.training.points, examples: configuration.evaluation.examples,
            outsideExamples: configuration.evaluation.outsideExamples,
            seed: configuration.evaluation.seed)
    }

    /// The evaluations of a base on linear functions, with as many prompts as the sweep's runs see.
    init(_ base: PlannedBase, of plan: SweepPlan, in directory: RunDirectory) {
        let phase = base.configuration.pretraining?.phase
        self.init(
            directory: directory, step: phase?.steps ?? 0,
            evaluator: Evaluator(
                functionClass: LinearFunction(), dims: base.configuration.model.inputDimension,
                points: phase?.points ?? plan.runs[0].configuration.training.points,
                examples: plan.evaluation.examples, seed: plan.evaluation.seed))
    }

    /// The trained model, with room for the prompts of each setting.
    func model(
        _ settings: [EvaluationSetting], workers: Int
    ) throws -> (ParallelDecoder, DecoderWeights) {
        let model = try StoredModel(folder: directory.path)
        let batches = settings.flatMap(evaluator.shapes)
        let parallel = ParallelDecoder(
            model.decoder, workers: workers, batches: batches, forTraining: false)
        return (parallel, model.decoder.weights(in: model.parameters))
    }
}
