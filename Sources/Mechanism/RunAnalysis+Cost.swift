import Experiments
import InContextRegression
import Transformer

extension PlannedRun {
    /// Floating-point operations of what is measured along a run's steps and of its probes, by the convention of
    /// ``DecoderConfiguration/trainingOperations(examples:length:)``; a forward pass is a third of a training step.
    public var analysisOperations: Double {
        RunAnalysis(self, in: RunDirectory(path: "")).operations
    }
}

extension RunAnalysis {
    fileprivate var operations: Double {
        let decoder = configuration.model.decoder.configuration
        func training(_ forms: [PromptForm], _ examples: Int) -> Double {
            forms.reduce(0) {
                $0 + decoder.trainingOperations(examples: examples, length: $1.tokenCount)
            }
        }
        func forms(_ layout: PromptLayout) -> [PromptForm] {
            evaluator(1).forms(EvaluationSetting(layout: layout))
        }
        var total = 0.0
        if let asked {
            var step = layouts.reduce(0) { $0 + training(forms($1), asked.examples) / 3 }
            let aligned = alignmentExamples(asked)
            if aligned > 0 {
                let points = configuration.training.points
                let queries = contexts.map {
                    layout.form(query: $0, points: points)
                }
                step += training(queries + forms(layout), aligned)
            }
            total += step * Double(steps.count)
        }
        if wantsProbes {
            total += training(forms(layout), configuration.evaluation.probeExamples ?? 0) / 3
        }
        return total
    }
}
