import Kernels

/// How a linear map's matrix lies in memory.
enum WeightOrder {
    /// `[from, to]`: GPT-2's Conv1D, `y = x W + b`.
    case inputByOutput
    /// `[to, from]`: torch's Linear, `y = x Wᵀ + b`.
    case outputByInput
}

/// `y = x · W + b` with `x: [rows, from]`, `y: [rows, to]`.
func linearForward(
    output: FloatView, input: FloatView, weights: WeightAndBias, rows: Int, from: Int, to: Int,
    order: WeightOrder = .inputByOutput
) {
    broadcastRows(output: output, bias: weights.bias, rows: rows, width: to)
    matrixProduct(
        output: output, a: input, b: weights.weight, rows: rows, columns: to, inner: from,
        transposeB: order == .outputByInput, beta: 1)
}

/// `y = residual + x · W + b`.
func residualLinearForward(
    output: FloatView, residual: FloatView, input: FloatView, weights: WeightAndBias, rows: Int,
    from: Int, to: Int
) {
    addRows(output: output, input: residual, bias: weights.bias, rows: rows, width: to)
    matrixProduct(
        output: output, a: input, b: weights.weight, rows: rows, columns: to, inner: from, beta: 1)
}

/// Gradients of a linear map: `dx = dy · Wᵀ` (overwritten; left out when nil), `dW += xᵀ · dy`, `db += Σ_row dy`.
func linearBackward(
    dInput: FloatView?, gradients: WeightAndBias, dOutput: FloatView, input: FloatView,
    weights: WeightAndBias, rows: Int, from: Int, to: Int, order: WeightOrder = .inputByOutput
) {
    addColumnSums(total: gradients.bias, input: dOutput, rows: rows, width: to)
    switch order {
    case .inputByOutput:
        matrixProduct(
            output: gradients.weight, a: input, b: dOutput, rows: from, columns: to, inner: rows,
            transposeA: true, beta: 1)
    case .outputByInput:
        matrixProduct(
            output: gradients.weight, a: dOutput, b: input, rows: to, columns: from, inner: rows,
            transposeA: true, beta: 1)
    }
    if let dInput {
        matrixProduct(
            output: dInput, a: dOutput, b: weights.weight, rows: rows, columns: from, inner: to,
            transposeB: order == .inputByOutput)
    }
}
