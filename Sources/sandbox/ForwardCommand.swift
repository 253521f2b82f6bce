import ArgumentParser
import Experiments
import Foundation
import Kernels
import Mechanism
import TensorStorage
import Transformer

/// `sandbox forward`: predictions, loss and gradients of a stored model on given inputs.
struct ForwardCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "forward",
        abstract: "Run a stored model on given inputs; with --gradients, differentiate it too.",
        discussion: """
            Reads `inputs` F32 [B, T, d] (already interleaved: x, y, x, y, …) and optionally `targets` F32 [B, n]. \
            Writes `predictions` F32 [B, ⌈T/2⌉], read at every x position, and with targets `loss` F32 [1], the mean \
            squared error over the last n predictions. --gradients adds `grad.<parameter name>` for every parameter \
            and `grad.inputs`.

            Example:
              sandbox forward --checkpoint runs/bases/linear-s0-1a2b3c4d \\
                --input in.safetensors --output out.safetensors --gradients

            Exit status: 0 written, 1 no usable model, inputs or place to write, 64 a usage error.
            """)

    @Option(help: "A run, a checkpoint, or a folder with config.yaml and model.safetensors.")
    var checkpoint: String

    @Option(help: "A safetensors file with `inputs` and optionally `targets`.")
    var input: String

    @Option(help: "The safetensors file to write.")
    var output: String

    @Flag(help: "Also write the gradients of the loss (needs `targets`).")
    var gradients = false

    func run() throws {
        try reportingErrors {
            BLAS.useOneThread()
            let model = try StoredModel(folder: checkpoint)
            try refuseToReplace([input, model.weightsPath], by: output)
            try refuseFilesOfRuns(output)
            let batch = try ForwardBatch(path: input, configuration: model.decoder.configuration)
            if gradients && batch.targets == nil {
                throw ForwardError(
                    description:
                        "\(input) has no tensor `targets`; the gradients are those of the loss, so add "
                        + "targets F32 [B, n] or leave out --gradients")
            }
            try writeSafetensors(
                batch.results(of: model, gradients: gradients), to: output)
        }
    }
}

struct ForwardError: Error, CustomStringConvertible {
    let description: String
}

/// The inputs and targets of one call, checked against the model.
private struct ForwardBatch {
    let shape: BatchShape
    let inputs: [Float]
    let targets: [Float]?
    let targetCount: Int

    init(path: String, configuration: DecoderConfiguration) throws {
        let file = try SafetensorsFile(path: path)
        let info = try file.tensor(named: "inputs")
        guard info.shape.count == 3, info.shape.allSatisfy({ $0 > 0 }),
            info.shape[2] == configuration.inputDimension
        else {
            throw ForwardError(
                description: "\(path): inputs has shape \(info.shape); expected [B, T, d] with d = "
                    + "\(configuration.inputDimension), the model's n_dims")
        }
        let length = info.shape[1]
        guard length <= configuration.positionCount else {
            throw ForwardError(
                description: "\(path): inputs has T = \(length) tokens and the model has "
                    + "\(configuration.positionCount) positions (2 × n_positions); shorten the sequences"
            )
        }
        shape = BatchShape(examples: info.shape[0], length: length)
        inputs = try file.floats("inputs")
        guard let wanted = file["targets"] else {
            targets = nil
            targetCount = 0
            return
        }
        let predictions = (length + 1) / 2
        guard wanted.shape.count == 2, wanted.shape[0] == shape.examples, wanted.shape[1] > 0,
            wanted.shape[1] <= predictions
        else {
            throw ForwardError(
                description:
                    "\(path): targets has shape \(wanted.shape); expected [\(shape.examples), n] with n from "
                    + "1 to \(predictions), the number of predictions")
        }
        targets = try file.floats("targets")
        targetCount = wanted.shape[1]
    }

    /// The tensors to write. Shard after shard on one thread: this is a reference, not the fast path.
    func results(of model: StoredModel, gradients: Bool) -> [SafetensorsContent] {
        let decoder = model.decoder
        let dims = decoder.configuration.inputDimension
        let plan = ShardPlan(examples: shape.examples, length: shape.length)
        let workspace = DecoderWorkspace(
            decoder.configuration,
            largest: BatchShape(examples: plan.examplesPerShard, length: shape.length),
            forTraining: gradients)
        let weights = decoder.packed(
            decoder.weights(in: model.parameters), forTraining: gradients)
        let flat = FloatView(zeros: gradients ? decoder.layout.count : 0)
        let predictionCount = (shape.length + 1) / 2
        let predictions = FloatView(zeros: shape.examples * predictionCount)
        let dInputs = FloatView(zeros: gradients ? shape.rows * dims : 0)
        var loss = 0.0
        for shard in 0..<plan.shardCount {
            let examples = plan.examples(ofShard: shard)
            let part = BatchShape(examples: examples.count, length: shape.length)
            let tokens = examples.lowerBound * shape.length * dims
            let tokenRange = tokens..<tokens + part.rows * dims
            workspace.inputs[0..<part.rows * dims].copy(from: Array(inputs[tokenRange]))
            setLoss(workspace, examples, predictionCount)
            decoder.forward(weights: weights, workspace: workspace, shape: part)
            for (row, example) in examples.enumerated() {
                for index in 0..<predictionCount {
                    predictions[example * predictionCount + index] =
                        workspace.predictions[row * shape.length + 2 * index]
                }
            }
            loss += squaredErrorForwardBackward(
                dPredictions: workspace.dPredictions, predictions: workspace.predictions,
                targets: workspace.targets, weights: workspace.lossWeights, count: part.rows)
            guard gradients else { continue }
            decoder.backward(
                weights: weights, gradients: decoder.weights(in: flat), workspace: workspace,
                shape: part, inputGradients: true)
            dInputs[tokenRange].copy(from: workspace.dInputs[0..<part.rows * dims])
        }
        var contents = [
            SafetensorsContent.floats(
                "predictions", shape: [shape.examples, predictionCount], predictions)
        ]
        if targets != nil { contents.append(.floats("loss", shape: [1], FloatView([Float(loss)]))) }
        guard gradients else { return contents }
        for tensor in decoder.layout.tensors(in: flat) {
            contents.append(.floats("grad." + tensor.name, shape: tensor.shape, tensor.view))
        }
        contents.append(
            .floats("grad.inputs", shape: [shape.examples, shape.length, dims], dInputs))
        return contents
    }

    /// Puts targets and weights of the shard's examples at the last n x positions; all weights are 0 without targets.
    private func setLoss(
        _ workspace: DecoderWorkspace, _ examples: Range<Int>, _ predictionCount: Int
    ) {
        guard let targets else { return }
        let first = predictionCount - targetCount
        for (row, example) in examples.enumerated() {
            for index in 0..<targetCount {
                let place = row * shape.length + 2 * (first + index)
                workspace.targets[place] = targets[example * targetCount + index]
                workspace.lossWeights[place] = 1 / Float(shape.examples * targetCount)
            }
        }
    }
}
