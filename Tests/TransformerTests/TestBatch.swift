import Kernels
import TensorStorage
import TestSupport
import Transformer

/// A batch as plain arrays: what a workspace is filled with.
struct TestBatch: BatchFilling {
    let shape: BatchShape
    /// d: numbers in one token.
    let dimension: Int
    /// `[B, T, d]`.
    var inputs: [Float]
    /// `[B, T]`.
    var targets: [Float]
    /// `[B, T]`.
    var weights: [Float]
    /// `[B]`.
    var starts: [Int32]

    /// A random batch whose even positions carry loss, as a mean.
    init(_ configuration: DecoderConfiguration, examples: Int, length: Int, seed: UInt64) {
        var generator = TestGenerator(seed: seed)
        shape = BatchShape(examples: examples, length: length)
        dimension = configuration.inputDimension
        inputs = generator.normals(shape.rows * dimension)
        targets = generator.normals(shape.rows)
        let mean = 1 / Float(examples * ((length + 1) / 2))
        weights = (0..<shape.rows).map { $0 % length % 2 == 0 ? mean : 0 }
        let room = configuration.positionCount - length
        starts = (0..<examples).map { Int32($0 * 3 % (room + 1)) }
    }

    /// Writes `examples` into the first places of `workspace`.
    func fill(_ examples: Range<Int>, _ workspace: DecoderWorkspace) {
        let rows = examples.lowerBound * shape.length..<examples.upperBound * shape.length
        let tokens = rows.lowerBound * dimension..<rows.upperBound * dimension
        workspace.inputs[0..<tokens.count].copy(from: Array(inputs[tokens]))
        workspace.targets[0..<rows.count].copy(from: Array(targets[rows]))
        workspace.lossWeights[0..<rows.count].copy(from: Array(weights[rows]))
        workspace.positionStarts[0..<examples.count].copy(from: Array(starts[examples]))
    }

    /// Writes the whole batch into `workspace`.
    func fill(_ workspace: DecoderWorkspace) { fill(0..<shape.examples, workspace) }
}

extension Decoder {
    /// The parameters in `flat`, packed for both passes.
    func packed(_ flat: FloatView) -> PackedWeights {
        packed(weights(in: flat), forTraining: true)
    }

    /// Parameters large enough that no part of a gradient is lost in rounding, normalisations off their start.
    func randomParameters(seed: UInt64) -> FloatView {
        var generator = TestGenerator(seed: seed)
        let flat = FloatView(zeros: layout.count)
        for entry in layout.entries {
            let isGain = entry.name.contains("ln_") && entry.name.hasSuffix("weight")
            flat[entry.range].copy(
                from: generator.normals(entry.count, scale: 0.3).map { isGain ? 1 + $0 : $0 })
        }
        return flat
    }
}

/// Loss, gradients and predictions of a whole batch as one shard in a fresh workspace.
struct SingleShard {
    let loss: Double
    let predictions, gradients, dInputs: FloatView

    init(
        _ decoder: Decoder, _ parameters: FloatView, _ batch: TestBatch,
        predicting positions: PredictedPositions = .all
    ) {
        self.init(
            decoder, parameters, batch, predicting: positions,
            in: DecoderWorkspace(decoder.configuration, largest: batch.shape, forTraining: true))
    }

    init(
        _ decoder: Decoder, _ parameters: FloatView, _ batch: TestBatch,
        predicting positions: PredictedPositions = .all, in workspace: DecoderWorkspace
    ) {
        gradients = FloatView(zeros: decoder.layout.count)
        batch.fill(workspace)
        loss = decoder.lossForwardBackward(
            weights: decoder.packed(parameters), gradients: decoder.weights(in: gradients),
            workspace: workspace, shape: batch.shape, predicting: positions,
            inputGradients: true)
        predictions = workspace.predictions[0..<batch.shape.rows]
        dInputs = workspace.dInputs[0..<batch.shape.rows * batch.dimension]
    }
}
