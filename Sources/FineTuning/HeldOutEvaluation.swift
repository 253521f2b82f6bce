import Kernels
import Objectives

/// The losses of a model on held-out documents.
struct HeldOutEvaluation {
    private let tuner: FineTuner
    private let every: Int
    /// Under the run's own objective.
    private let own: [Bin]
    /// Texts without a prompt: what objectives can be compared by; empty where that is the run's own, nil where documents are
    /// no texts.
    private let texts: [Bin]?
    /// For preferences.
    private let preferences: (loss: PreferenceLoss, reference: [PreferenceLoss.LogProbabilities])?

    /// - Throws: `ObjectiveError` about a document.
    init(
        _ configuration: FineTuningConfiguration, _ parts: FineTuningInputs.Parts,
        inputs: FineTuningInputs, tuner: FineTuner, pool: WorkerPool
    ) throws {
        self.tuner = tuner
        every = configuration.evaluation.every
        let documents = parts.heldOut.prefix(configuration.evaluation.documents ?? .max)
            .enumerated().map { (index: $0.offset, document: $0.element) }
        let packs = configuration.training.packs
        own = try inputs.recipe(configuration).bins(
            documents, epoch: 0, packs: packs, pool: pool)
        let kind = configuration.objective.kind
        let isText = documents.first.map {
            ObjectiveKind.cpt.documentKinds.contains($0.document.content.kind)
        }
        if isText != true {
            texts = nil
        } else {
            texts =
                kind == .cpt
                ? []
                : try inputs.recipe(configuration, as: .cpt).bins(
                    documents, epoch: 0, packs: packs, pool: pool)
        }
        preferences =
            kind == .dpo ? (configuration.objective.loss, tuner.reference(own, isExact: true)) : nil
    }

    /// Whether a measurement is due after `step` of `steps` updates.
    func isDue(after step: Int, of steps: Int) -> Bool {
        step == steps || every > 0 && step % every == 0
    }

    /// `eval/loss` under the run's objective, `eval/text_loss` without a prompt (nats a token), `eval/accuracy` of preferences;
    /// nil where nothing is held out.
    func measure() -> [String: Double]? {
        guard !own.isEmpty else { return nil }
        if let preferences {
            let (loss, accuracy) = tuner.meanLoss(
                own, preferences.loss, reference: preferences.reference)
            return ["eval/loss": loss, "eval/accuracy": accuracy]
        }
        var values = ["eval/loss": tuner.meanLoss(own)]
        if let texts {
            values["eval/text_loss"] = texts.isEmpty ? values["eval/loss"] : tuner.meanLoss(texts)
        }
        return values
    }
}
