/// The sizes of a decoder: GPT-2's backbone between a linear read-in and a linear read-out.
///
/// Shape letters used throughout the room: B examples, T positions, R = B·T rows, d input dimension, C channels,
/// H heads, K = C / H head size, L layers.
public struct DecoderConfiguration: Sendable, Hashable {
    /// d: numbers in one input token (`n_dims`).
    public let inputDimension: Int
    /// Rows of the position table: twice the public code's `n_positions`, one for each x and each y.
    public let positionCount: Int
    /// C: width of the residual stream (`n_embd`).
    public let embeddingDimension: Int
    /// L: blocks (`n_layer`).
    public let layerCount: Int
    /// H: attention heads (`n_head`).
    public let headCount: Int
    /// Width inside the feed-forward part; 4C in GPT-2.
    public let hiddenDimension: Int
    /// ε of layer normalisation.
    public let normalizationEpsilon: Float

    /// - Parameters:
    ///   - inputDimension: d.
    ///   - positionCount: rows of the position table.
    ///   - embeddingDimension: C, a multiple of `headCount`.
    ///   - layerCount: L.
    ///   - headCount: H.
    ///   - hiddenDimension: width inside the feed-forward part; 4C when nil.
    ///   - normalizationEpsilon: ε; 1e-5 as in GPT-2.
    public init(
        inputDimension: Int, positionCount: Int, embeddingDimension: Int, layerCount: Int,
        headCount: Int, hiddenDimension: Int? = nil, normalizationEpsilon: Float = 1e-5
    ) {
        precondition(inputDimension > 0 && positionCount > 0 && embeddingDimension > 0)
        precondition(layerCount >= 1 && headCount > 0)
        precondition(
            embeddingDimension % headCount == 0,
            "the width \(embeddingDimension) is not a multiple of \(headCount) heads")
        self.inputDimension = inputDimension
        self.positionCount = positionCount
        self.embeddingDimension = embeddingDimension
        self.layerCount = layerCount
        self.headCount = headCount
        self.hiddenDimension = hiddenDimension ?? 4 * embeddingDimension
        self.normalizationEpsilon = normalizationEpsilon
    }

    /// K = C / H.
    public var headSize: Int { embeddingDimension / headCount }

    /// Floating-point operations of one training step by the project's convention: `B (72 L C² T + 12 L C T²)`.
    ///
    /// The matrix products of forward and backward (two operations a multiply-add), attention counted in full, so
    /// that leaving out the upper triangle shows as speed; read-in, read-out and elementwise work are not counted.
    ///
    /// - Parameters:
    ///   - examples: B.
    ///   - length: T.
    /// - Returns: operations.
    public func trainingOperations(examples: Int, length: Int) -> Double {
        let layers = Double(layerCount)
        let width = Double(embeddingDimension)
        let positions = Double(length)
        return Double(examples)
            * (72 * layers * width * width * positions + 12 * layers * width * positions * positions)
    }
}
