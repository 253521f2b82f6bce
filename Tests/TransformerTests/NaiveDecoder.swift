import Kernels
import TensorStorage
import TestSupport
import Transformer

/// The whole decoder from the kernels' naive twins, in double precision, forward only.
struct NaiveDecoder {
    let configuration: DecoderConfiguration
    /// The parameters by state-dict name.
    var parameters: [String: [Double]]

    init(_ decoder: Decoder, _ flat: FloatView) {
        configuration = decoder.configuration
        parameters = [:]
        for tensor in decoder.layout.tensors(in: flat) {
            parameters[tensor.name] = tensor.view.doubles
        }
    }

    /// `Σ w (p − t)²` of the batch, with `inputs` in place of its own when given.
    func loss(_ batch: TestBatch, inputs: [Double]? = nil) -> Double {
        let p = predictions(batch, inputs: inputs)
        return p.indices.reduce(0) {
            let difference = p[$1] - Double(batch.targets[$1])
            return $0 + Double(batch.weights[$1]) * difference * difference
        }
    }

    /// `[B, T]`.
    func predictions(_ batch: TestBatch, inputs: [Double]? = nil) -> [Double] {
        let width = configuration.embeddingDimension
        let T = batch.shape.length
        var residual = linear(
            inputs ?? batch.inputs.doubles, "_read_in", from: configuration.inputDimension,
            outputByInput: true)
        let table = tensor("_backbone.wpe.weight")
        for index in residual.indices {
            let (row, channel) = (index / width, index % width)
            residual[index] += table[(Int(batch.starts[row / T]) + row % T) * width + channel]
        }
        let attention = AttentionShape(
            examples: batch.shape.examples, length: T, headCount: configuration.headCount,
            headSize: configuration.headSize)
        for layer in 0..<configuration.layerCount {
            let prefix = "_backbone.h.\(layer)."
            let tokens = linear(
                normalize(residual, prefix + "ln_1"), prefix + "attn.c_attn", from: width)
            let attended = Naive.causalAttention(tokens, shape: attention).output
            residual = sum(residual, linear(attended, prefix + "attn.c_proj", from: width))
            let hidden = linear(
                normalize(residual, prefix + "ln_2"), prefix + "mlp.c_fc", from: width)
            residual = sum(
                residual,
                linear(
                    hidden.map(Naive.gelu), prefix + "mlp.c_proj",
                    from: configuration.hiddenDimension))
        }
        return linear(
            normalize(residual, "_backbone.ln_f"), "_read_out", from: width, outputByInput: true)
    }

    private func tensor(_ name: String) -> [Double] { parameters[name] ?? [] }

    private func sum(_ a: [Double], _ b: [Double]) -> [Double] { zip(a, b).map { $0 + $1 } }

    private func normalize(_ x: [Double], _ name: String) -> [Double] {
        Naive.layerNorm(
            x, weight: tensor(name + ".weight"), bias: tensor(name + ".bias"),
            epsilon: Double(configuration.normalizationEpsilon))
    }

    private func linear(
        _ x: [Double], _ name: String, from: Int, outputByInput: Bool = false
    ) -> [Double] {
        let bias = tensor(name + ".bias")
        let product = Naive.matrixProduct(
            x, tensor(name + ".weight"), rows: x.count / from, columns: bias.count, inner: from,
            transposeB: outputByInput)
        return product.indices.map { product[$0] + bias[$0 % bias.count] }
    }
}
