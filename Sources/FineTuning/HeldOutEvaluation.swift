import Kernels
import Objectives

/// What a model is measured on.
struct HeldOutBins {
    /// Under the run's own objective.
    let own: [Bin]
    /// Texts without a prompt: what objectives can be compared by; empty where that is the run's own, nil where documents are
    /// no texts.
    let texts: [Bin]?

    /// - Throws: `ObjectiveError` about a document.
    init(
        _ configuration: FineTuningConfiguration, _ parts: FineTuningInputs.Parts,
        inputs: FineTuningInputs, pool: WorkerPool
    ) throws {
        let documents = parts.heldOut.prefix(configuration.evaluation.documents ?? .max)
            .enumerated().map { (index: $0.offset, document: $0.element) }
        func bins(_ recipe: ExampleRecipe) throws -> [Bin] {
            try recipe.bins(documents, epoch: 0, packs: configuration.training.packs, pool: pool)
        }
        own = try bins(inputs.recipe(configuration))
        let isText = documents.first.map {
            ObjectiveKind.cpt.documentKinds.contains($0.document.content.kind)
        }
        if isText != true {
            texts = nil
        } else {
            let isOwn = configuration.objective.kind == .cpt
            texts = isOwn ? [] : try bins(inputs.recipe(configuration, as: .cpt))
        }
    }
}

/// The losses of a model on held-out documents.
struct HeldOutEvaluation {
    private let tuner: FineTuner
    private let every: Int
    private let bins: HeldOutBins
    /// For preferences.
    private let preferences: (loss: PreferenceLoss, reference: [PreferenceLoss.LogProbabilities])?

    init(_ configuration: FineTuningConfiguration, _ bins: HeldOutBins, tuner: FineTuner) {
        self.tuner = tuner
        self.bins = bins
        every = configuration.evaluation.every
        preferences =
            configuration.objective.kind == .dpo
            ? (configuration.objective.loss, tuner.reference(bins.own, isExact: true)) : nil
    }

    /// Whether a measurement is due after `step` of `steps` updates.
    func isDue(after step: Int, of steps: Int) -> Bool {
        step == steps || every > 0 && step % every == 0
    }

    /// `eval/loss` under the run's objective, `eval/text_loss` without a prompt (nats a token), `eval/accuracy` of preferences;
    /// nil where nothing is held out.
    func measure() -> [String: Double]? {
        let own = bins.own
        guard !own.isEmpty else { return nil }
        if let preferences {
            let (loss, accuracy) = tuner.meanLoss(
                own, preferences.loss, reference: preferences.reference)
            return ["eval/loss": loss, "eval/accuracy": accuracy]
        }
        var values = ["eval/loss": tuner.meanLoss(own)]
        if let texts = bins.texts {
            values["eval/text_loss"] = texts.isEmpty ? values["eval/loss"] : tuner.meanLoss(texts)
        }
        return values
    }
}
