import Kernels
import Randomness

extension Decoder {
    /// Fresh parameters as the public code draws them, from the `initialization` stream of `seed`.
    ///
    /// Backbone matrices and positions N(0, 0.02²), the two projections into the residual stream
    /// N(0, 0.02² / 2L), biases 0, normalisations (1, 0); read-in and read-out weight and bias uniform in
    /// ±1/√(fan in), torch's default for Linear. Each tensor draws a sequence of its own, keyed by its place in the
    /// layout.
    ///
    /// - Parameter seed: the key of the draws.
    /// - Returns: a flat buffer in the order of ``layout``.
    public func initialParameters(seed: UInt64) -> FloatView {
        let flat = FloatView(zeros: layout.count)
        for (index, entry) in layout.entries.enumerated() {
            let view = flat[entry.range]
            let key = RandomKey(seed: seed, stream: .initialization, example: index)
            if entry.name.hasPrefix("_read_") {
                let fanIn =
                    entry.name.hasPrefix("_read_in")
                    ? configuration.inputDimension : configuration.embeddingDimension
                let bound = 1 / Float(fanIn).squareRoot()
                view.withMutableSpan { values in
                    key.fillUniforms(&values)
                    for index in values.indices { values[index] = (2 * values[index] - 1) * bound }
                }
            } else if entry.name.hasSuffix("ln_1.weight") || entry.name.hasSuffix("ln_2.weight")
                || entry.name.hasSuffix("ln_f.weight")
            {
                view.fill(1)
            } else if entry.name.hasSuffix(".weight") {
                let intoResidual = entry.name.hasSuffix("c_proj.weight")
                let deviation =
                    intoResidual
                    ? 0.02 / Float(2 * configuration.layerCount).squareRoot() : 0.02
                view.withMutableSpan { values in
                    key.fillNormals(&values)
                    for index in values.indices { values[index] *= deviation }
                }
            }
        }
        return flat
    }
}
