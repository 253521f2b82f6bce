import Kernels

extension KernelCase {
    /// `y = x · W + b`.
    public static func linear(rows: Int, from: Int, to: Int, precision: ProductPrecision = .fp32)
        -> KernelCase
    {
        KernelCase(
            name: "linear" + precision.suffix, size: "\(rows) × \(from) → \(to)",
            inputs: [Operand("x", rows * from), Operand("W", from * to), Operand("b", to)],
            outputs: [Operand("y", rows * to)], operations: 2 * Double(rows * from * to)
        ) {
            let map = LinearMap(rows: rows, from: from, to: to, precision: precision)
            return Passes(
                prepare: { map.pack($0[1]) },
                forward: { inputs, outputs in
                    linearForward(
                        output: outputs[0], input: inputs[0], weight: map.weight, bias: inputs[2],
                        rows: rows, scratch: map.scratch)
                },
                backward: { inputs, dOutputs, dInputs in
                    map.backward(
                        input: inputs[0], dOutput: dOutputs[0], dInput: dInputs[0],
                        dWeight: dInputs[1], dBias: dInputs[2])
                })
        }
    }

    /// `y = r + x · W + b`.
    public static func linearOntoResidual(
        rows: Int, from: Int, to: Int, precision: ProductPrecision = .fp32
    ) -> KernelCase {
        KernelCase(
            name: "linear + residual" + precision.suffix, size: "\(rows) × \(from) → \(to)",
            inputs: [
                Operand("x", rows * from), Operand("W", from * to), Operand("b", to),
                Operand("r", rows * to),
            ],
            outputs: [Operand("y", rows * to)], operations: 2 * Double(rows * from * to)
        ) {
            let map = LinearMap(rows: rows, from: from, to: to, precision: precision)
            return Passes(
                prepare: { map.pack($0[1]) },
                forward: { inputs, outputs in
                    linearResidualForward(
                        output: outputs[0], residual: inputs[3], input: inputs[0],
                        weight: map.weight, bias: inputs[2], rows: rows, scratch: map.scratch)
                },
                backward: { inputs, dOutputs, dInputs in
                    map.backward(
                        input: inputs[0], dOutput: dOutputs[0], dInput: dInputs[0],
                        dWeight: dInputs[1], dBias: dInputs[2])
                    addScaled(dInputs[3], dOutputs[0], scale: 1)
                })
        }
    }

    /// `a = GELU(x · W + b)`, then `y = a · V`: the derivative of GELU is multiplied into the second map's input
    /// gradient.
    public static func feedForward(
        rows: Int, width: Int, hidden: Int, precision: ProductPrecision = .fp32
    ) -> KernelCase {
        KernelCase(
            name: "linear + GELU, linear" + precision.suffix,
            size: "\(rows) × \(width) → \(hidden) → \(width)",
            inputs: [
                Operand("x", rows * width), Operand("W", width * hidden), Operand("b", hidden),
                Operand("V", hidden * width), Operand("c", width),
            ],
            outputs: [Operand("y", rows * width)],
            operations: 4 * Double(rows * width * hidden)
        ) {
            let expansion = LinearMap(rows: rows, from: width, to: hidden, precision: precision)
            let contraction = LinearMap(rows: rows, from: hidden, to: width, precision: precision)
            let activation = FloatView(zeros: rows * hidden)
            let slope = FloatView(zeros: rows * hidden)
            let dHidden = FloatView(zeros: rows * hidden)
            return Passes(
                prepare: { inputs in
                    expansion.pack(inputs[1])
                    contraction.pack(inputs[3])
                },
                forward: { inputs, outputs in
                    linearGELUForward(
                        output: activation, slope: slope, input: inputs[0],
                        weight: expansion.weight, bias: inputs[2], rows: rows,
                        scratch: expansion.scratch)
                    linearForward(
                        output: outputs[0], input: activation, weight: contraction.weight,
                        bias: inputs[4], rows: rows, scratch: contraction.scratch)
                },
                backward: { inputs, dOutputs, dInputs in
                    contraction.backward(
                        input: activation, dOutput: dOutputs[0], dInput: dHidden, slope: slope,
                        dWeight: dInputs[3], dBias: dInputs[4])
                    expansion.backward(
                        input: inputs[0], dOutput: dHidden, dInput: dInputs[0],
                        dWeight: dInputs[1], dBias: dInputs[2])
                })
        }
    }

    /// `y = x · w + b`, one number a row.
    public static func projection(rows: Int, width: Int) -> KernelCase {
        KernelCase(
            name: "projection", size: "\(rows) × \(width) → 1",
            inputs: [Operand("x", rows * width), Operand("w", width), Operand("b", 1)],
            outputs: [Operand("y", rows)], operations: 0
        ) {
            Passes(
                forward: { inputs, outputs in
                    projectionForward(
                        output: outputs[0], input: inputs[0], weight: inputs[1], bias: inputs[2],
                        rows: rows)
                },
                backward: { inputs, dOutputs, dInputs in
                    projectionBackward(
                        dInput: dInputs[0], dWeight: dInputs[1], dBias: dInputs[2],
                        dOutput: dOutputs[0], input: inputs[0], weight: inputs[1], rows: rows)
                })
        }
    }
}

/// The packed matrices and the working memory of one linear map.
private struct LinearMap {
    let rows, from, to: Int
    let weight, transposed: PackedMatrix
    let scratch: ProductScratch

    init(rows: Int, from: Int, to: Int, precision: ProductPrecision) {
        self.rows = rows
        self.from = from
        self.to = to
        weight = PackedMatrix(inner: from, columns: to, precision: precision)
        transposed = PackedMatrix(inner: to, columns: from, precision: precision)
        scratch = ProductScratch(
            precision: precision, rows: rows, largestWidth: max(from, to))
    }

    func pack(_ matrix: FloatView) {
        weight.pack(matrix)
        transposed.pack(matrix, transposed: true)
    }

    func backward(
        input: FloatView, dOutput: FloatView, dInput: FloatView, slope: FloatView? = nil,
        dWeight: FloatView, dBias: FloatView
    ) {
        addWeightGradient(
            dWeight: dWeight, dBias: dBias, input: input, dOutput: dOutput, rows: rows, from: from,
            to: to, scratch: scratch)
        linearInputGradient(
            dInput: dInput, slope: slope, dOutput: dOutput, transposedWeight: transposed,
            rows: rows, scratch: scratch)
    }
}

extension ProductPrecision {
    /// What a kernel's name ends with.
    fileprivate var suffix: String { self == .fp32 ? "" : ", bf16" }
}
