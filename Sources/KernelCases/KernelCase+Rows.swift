import Kernels

extension KernelCase {
    /// `y = (x − μ) r · γ + β` for every row.
    public static func layerNorm(rows: Int, width: Int, epsilon: Float = 1e-5) -> KernelCase {
        KernelCase(
            name: "layer norm", size: "\(rows) × \(width)",
            inputs: [Operand("x", rows * width), Operand("γ", width), Operand("β", width)],
            outputs: [Operand("y", rows * width)], operations: 0
        ) {
            let mean = FloatView(zeros: rows)
            let scale = FloatView(zeros: rows)
            return Passes(
                forward: { inputs, outputs in
                    layerNormForward(
                        output: outputs[0], mean: mean, reciprocalDeviation: scale,
                        input: inputs[0], weight: inputs[1], bias: inputs[2], rows: rows,
                        width: width, epsilon: epsilon)
                },
                backward: { inputs, dOutputs, dInputs in
                    layerNormBackward(
                        dInput: dInputs[0], dWeight: dInputs[1], dBias: dInputs[2],
                        dOutput: dOutputs[0], input: inputs[0], mean: mean,
                        reciprocalDeviation: scale, weight: inputs[1], rows: rows, width: width)
                })
        }
    }

    /// Causal attention, asked for at `positions` (all of them when nil).
    public static func attention(
        examples: Int, length: Int, headCount: Int, headSize: Int, positions: [Int]? = nil
    ) -> KernelCase {
        let positions = positions ?? Array(0..<length)
        let shape = AttentionShape(
            examples: examples, length: length, headCount: headCount, headSize: headSize,
            queryCount: positions.count)
        let rows = examples * length
        // Full attention by convention: two products of T × T × C.
        let operations = 4 * Double(examples * length * length * shape.channels)
        return KernelCase(
            name: "attention",
            size:
                "\(examples) × \(length) (\(positions.count) asked for), \(headCount) × \(headSize)",
            inputs: [Operand("qkv", rows * 3 * shape.channels)],
            outputs: [Operand("o", examples * positions.count * shape.channels)],
            operations: operations
        ) {
            let scratch = AttentionScratch(longest: shape, forTraining: true)
            let asked = IndexView(positions.map(Int32.init))
            let output = FloatView(zeros: examples * positions.count * shape.channels)
            let normalizer = FloatView(zeros: examples * positions.count * headCount)
            return Passes(
                forward: { inputs, outputs in
                    causalAttentionForward(
                        output: output, logNormalizer: normalizer, queriesKeysValues: inputs[0],
                        positions: asked, shape: shape, scratch: scratch)
                    outputs[0].copy(from: output)
                },
                backward: { inputs, dOutputs, dInputs in
                    causalAttentionBackward(
                        dQueriesKeysValues: dInputs[0], dOutput: dOutputs[0], output: output,
                        logNormalizer: normalizer, queriesKeysValues: inputs[0], positions: asked,
                        shape: shape, scratch: scratch)
                })
        }
    }

    /// Rows taken out of every sequence, and put back.
    public static func rowSelection(
        examples: Int, length: Int, width: Int, positions: [Int]
    ) -> KernelCase {
        KernelCase(
            name: "row selection",
            size: "\(examples) × \(positions.count) of \(length) × \(width)",
            inputs: [Operand("x", examples * length * width)],
            outputs: [Operand("y", examples * positions.count * width)], operations: 0
        ) {
            let asked = IndexView(positions.map(Int32.init))
            return Passes(
                forward: { inputs, outputs in
                    gatherRows(
                        output: outputs[0], input: inputs[0], positions: asked,
                        examples: examples, length: length, width: width)
                },
                backward: { _, dOutputs, dInputs in
                    scatterRows(
                        output: dInputs[0], input: dOutputs[0], positions: asked,
                        examples: examples, length: length, width: width)
                })
        }
    }

    /// One update of Adam; it has no gradient of its own.
    public static func adam(count: Int) -> KernelCase {
        KernelCase(
            name: "Adam", size: "\(count)",
            inputs: ["p", "m", "v", "g"].map { Operand($0, count) },
            outputs: ["p", "m", "v"].map { Operand($0, count) }, operations: 0
        ) {
            let step = AdamStep(
                number: 3, learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8,
                weightDecay: 0, decoupled: false, gradientScale: 0.5)
            return Passes(
                forward: { inputs, outputs in
                    for index in 0..<3 { outputs[index].copy(from: inputs[index]) }
                    adamUpdate(
                        parameters: outputs[0], firstMoment: outputs[1], secondMoment: outputs[2],
                        gradients: inputs[3], step: step)
                }, backward: nil)
        }
    }
}
