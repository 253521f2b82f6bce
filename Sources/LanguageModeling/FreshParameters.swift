import Kernels
import Randomness
import TensorStorage

/// Random parameters of a Llama as transformers draws them: matrices N(0, σ²) with σ = `initializer_range`, norms 1,
/// biases 0.
///
/// Each piece of `SafetensorsStream.pieceSize` elements of each tensor is a sequence of its own, keyed by its place, so
/// that pieces can be made in any order and the numbers hang on the seed alone.
public struct FreshParameters: Sendable {
    private enum Kind: Sendable {
        case matrix
        case norm
        case bias
    }

    private let kinds: [Kind]
    private let deviation: Float
    private let seed: UInt64

    /// - Parameters:
    ///   - configuration: names the tensors and σ.
    ///   - seed: the key of the draws.
    public init(_ configuration: LanguageModelConfiguration, seed: UInt64) {
        kinds = configuration.llama.tensors.map { tensor in
            if tensor.name.hasSuffix(".bias") { return .bias }
            return tensor.name.hasSuffix("norm.weight") ? .norm : .matrix
        }
        deviation = Float(configuration.initializerRange)
        self.seed = seed
    }

    /// Fills `target` with the elements `range` of tensor number `tensor`; `range` lies in one piece.
    public func fill(tensor: Int, range: Range<Int>, target: FloatView) {
        precondition(
            range.lowerBound % SafetensorsStream.pieceSize == 0
                && range.count <= SafetensorsStream.pieceSize, "\(range) is no piece")
        switch kinds[tensor] {
        case .norm: target.fill(1)
        case .bias: target.fill(0)
        case .matrix:
            let key = RandomKey(
                seed: seed, stream: .initialization,
                step: range.lowerBound / SafetensorsStream.pieceSize, example: tensor)
            target.withMutableSpan { values in
                key.fillNormals(&values)
                for index in values.indices { values[index] *= deviation }
            }
        }
    }
}
