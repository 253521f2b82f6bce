import Kernels

/// One weight matrix as the products want it: `W` for the forward pass, `Wᵀ` for the gradient of the input.
struct PackedLinear: Sendable {
    let weight: PackedMatrix
    /// Empty where no gradient will be asked for.
    let transposed: PackedMatrix
    private let forTraining: Bool

    init(from: Int, to: Int, precision: ProductPrecision, forTraining: Bool) {
        weight = PackedMatrix(inner: from, columns: to, precision: precision)
        transposed = PackedMatrix(
            inner: forTraining ? to : 0, columns: from, precision: precision)
        self.forTraining = forTraining
    }

    /// - Parameters:
    ///   - source: `W: [from, to]`, or `[to, from]` when `outputByInput`.
    ///   - outputByInput: torch's order of a Linear instead of GPT-2's Conv1D.
    func pack(_ source: FloatView, outputByInput: Bool = false) {
        weight.pack(source, transposed: outputByInput)
        if forTraining { transposed.pack(source, transposed: !outputByInput) }
    }
}

/// The matrices of one block, packed.
struct PackedBlock: Sendable {
    let queriesKeysValues: PackedLinear
    let attentionProjection: PackedLinear
    let expansion: PackedLinear
    let contraction: PackedLinear
}

/// Memory for a decoder's matrices in the form that the products read.
public struct PackedMatrices: Sendable {
    /// Always fp32: labels go through it, and it is small.
    let readIn: PackedLinear
    let blocks: [PackedBlock]

    /// - Parameters:
    ///   - configuration: the decoder's sizes.
    ///   - precision: what the operands of the blocks' products are rounded to.
    ///   - forTraining: whether the backward pass will run.
    public init(
        _ configuration: DecoderConfiguration, precision: ProductPrecision = .fp32,
        forTraining: Bool
    ) {
        let C = configuration.embeddingDimension
        func linear(_ from: Int, _ to: Int) -> PackedLinear {
            PackedLinear(from: from, to: to, precision: precision, forTraining: forTraining)
        }
        readIn = PackedLinear(
            from: configuration.inputDimension, to: C, precision: .fp32, forTraining: forTraining)
        blocks = (0..<configuration.layerCount).map { _ in
            PackedBlock(
                queriesKeysValues: linear(C, 3 * C), attentionProjection: linear(C, C),
                expansion: linear(C, configuration.hiddenDimension),
                contraction: linear(configuration.hiddenDimension, C))
        }
    }

    /// Number of parts that can be packed side by side.
    public var partCount: Int { 1 + 4 * blocks.count }

    /// Packs one part: the read-in, or one matrix of a block.
    ///
    /// - Parameters:
    ///   - part: 0 ..< ``partCount``.
    ///   - parameters: where the matrices lie.
    public func pack(part: Int, of parameters: DecoderWeights) {
        guard part > 0 else {
            readIn.pack(parameters.readIn.weight, outputByInput: true)
            return
        }
        let (layer, matrix) = (part - 1).quotientAndRemainder(dividingBy: 4)
        let packed = blocks[layer]
        let block = parameters.blocks[layer]
        switch matrix {
        case 0: packed.queriesKeysValues.pack(block.queriesKeysValues.weight)
        case 1: packed.attentionProjection.pack(block.attentionProjection.weight)
        case 2: packed.expansion.pack(block.expansion.weight)
        default: packed.contraction.pack(block.contraction.weight)
        }
    }
}

/// A decoder's parameters and the packed form of its matrices: made once an update, shared by all shards and workers.
///
/// Biases, normalisations and positions are read where they lie.
public struct PackedWeights: Sendable {
    /// The parameters that were packed.
    public let parameters: DecoderWeights
    let matrices: PackedMatrices

    /// - Parameters:
    ///   - parameters: the parameters.
    ///   - matrices: their matrices, packed.
    public init(parameters: DecoderWeights, matrices: PackedMatrices) {
        self.parameters = parameters
        self.matrices = matrices
    }
}
