/// `y[row] = bias` for every row: the start of a product that accumulates onto its bias.
///
/// - Parameters:
///   - output: `y: [rows, width]`, overwritten.
///   - bias: `[width]`.
///   - rows: number of rows.
///   - width: length of a row.
public func broadcastRows(output: FloatView, bias: FloatView, rows: Int, width: Int) {
    precondition(output.count >= rows * width && bias.count == width)
    for row in 0..<rows {
        (output.pointer + row * width).update(from: bias.pointer, count: width)
    }
}

/// `y[row] = x[row] + bias`: the residual stream plus the bias that the following product accumulates onto.
///
/// - Parameters:
///   - output: `y: [rows, width]`, overwritten.
///   - input: `x: [rows, width]`.
///   - bias: `[width]`.
///   - rows: number of rows.
///   - width: length of a row.
public func addRows(output: FloatView, input: FloatView, bias: FloatView, rows: Int, width: Int) {
    precondition(output.count >= rows * width && input.count >= rows * width)
    precondition(bias.count == width)
    let whole = width / laneCount * laneCount
    let b = bias.pointer
    for row in 0..<rows {
        let x = input.pointer + row * width
        let y = output.pointer + row * width
        for column in stride(from: 0, to: whole, by: laneCount) {
            y.store(x.lanes(at: column) + b.lanes(at: column), at: column)
        }
        for column in whole..<width { y[column] = x[column] + b[column] }
    }
}

/// `total += Σ_row x[row]`: the gradient of a bias.
///
/// - Parameters:
///   - total: `[width]`, added to.
///   - input: `x: [rows, width]`.
///   - rows: number of rows.
///   - width: length of a row.
public func addColumnSums(total: FloatView, input: FloatView, rows: Int, width: Int) {
    precondition(input.count >= rows * width && total.count == width)
    let whole = width / laneCount * laneCount
    let t = total.pointer
    for column in stride(from: 0, to: whole, by: laneCount) {
        // Four running sums hide the latency of the addition; they are joined in a fixed order.
        var sums = (
            Lanes(repeating: 0), Lanes(repeating: 0), Lanes(repeating: 0), Lanes(repeating: 0)
        )
        let x = input.pointer + column
        var row = 0
        while row + 4 <= rows {
            sums.0 += x.lanes(at: row * width)
            sums.1 += x.lanes(at: (row + 1) * width)
            sums.2 += x.lanes(at: (row + 2) * width)
            sums.3 += x.lanes(at: (row + 3) * width)
            row += 4
        }
        while row < rows {
            sums.0 += x.lanes(at: row * width)
            row += 1
        }
        t.store(t.lanes(at: column) + ((sums.0 + sums.1) + (sums.2 + sums.3)), at: column)
    }
    for column in whole..<width {
        var sum: Float = 0
        for row in 0..<rows { sum += input.pointer[row * width + column] }
        t[column] += sum
    }
}

/// Adds each row's position embedding: `y[e, t] += table[start_e + t]`.
///
/// - Parameters:
///   - output: `y: [examples, length, width]`, added to.
///   - table: `[positions, width]`.
///   - starts: the first position of each example; `start_e + length` must not exceed the table.
///   - length: positions T of each example.
///   - width: C.
public func addPositions(
    output: FloatView, table: FloatView, starts: IndexView, length: Int, width: Int
) {
    precondition(output.count >= starts.count * length * width)
    for example in 0..<starts.count {
        let start = Int(starts.pointer[example])
        precondition(
            start >= 0 && (start + length) * width <= table.count,
            "positions \(start)..<\(start + length) outside the table")
        addScaled(
            output[example * length * width..<(example + 1) * length * width],
            table[start * width..<(start + length) * width], scale: 1)
    }
}

/// The gradient of ``addPositions(output:table:starts:length:width:)``: `dTable[start_e + t] += dy[e, t]`.
///
/// - Parameters:
///   - dTable: `[positions, width]`, added to.
///   - dOutput: `dy: [examples, length, width]`.
///   - starts: the first position of each example.
///   - length: positions T of each example.
///   - width: C.
public func addPositionsBackward(
    dTable: FloatView, dOutput: FloatView, starts: IndexView, length: Int, width: Int
) {
    precondition(dOutput.count >= starts.count * length * width)
    for example in 0..<starts.count {
        let start = Int(starts.pointer[example])
        addScaled(
            dTable[start * width..<(start + length) * width],
            dOutput[example * length * width..<(example + 1) * length * width], scale: 1)
    }
}

/// `y += scale · x`.
///
/// - Parameters:
///   - output: `y: [count]`, added to.
///   - input: `x: [count]`.
///   - scale: the factor.
public func addScaled(_ output: FloatView, _ input: FloatView, scale: Float) {
    precondition(output.count == input.count, "\(input.count) values for \(output.count)")
    let x = input.pointer
    let y = output.pointer
    let whole = output.count / laneCount * laneCount
    for index in stride(from: 0, to: whole, by: laneCount) {
        y.store(
            y.lanes(at: index).addingProduct(x.lanes(at: index), Lanes(repeating: scale)), at: index
        )
    }
    for index in whole..<output.count { y[index] = y[index].addingProduct(x[index], scale) }
}

/// Weighted squared error and its gradient: `loss = Σ w (p − t)²`, `dp = 2 w (p − t)`.
///
/// The weights choose the positions that carry loss and hold the mean's divisor.
///
/// - Parameters:
///   - dPredictions: `dp: [count]`, overwritten.
///   - predictions: `p: [count]`.
///   - targets: `t: [count]`.
///   - weights: `w: [count]`, 0 where a position carries no loss.
///   - count: number of positions.
/// - Returns: the loss, summed in double.
public func squaredErrorForwardBackward(
    dPredictions: FloatView, predictions: FloatView, targets: FloatView, weights: FloatView,
    count: Int
) -> Double {
    precondition(dPredictions.count >= count && predictions.count >= count)
    precondition(targets.count >= count && weights.count >= count)
    var loss = 0.0
    for index in 0..<count {
        let weight = weights.pointer[index]
        let difference = predictions.pointer[index] - targets.pointer[index]
        // Where no loss is taken the target may be anything, not a number included.
        dPredictions.pointer[index] = weight == 0 ? 0 : 2 * weight * difference
        if weight != 0 { loss += Double(weight) * Double(difference) * Double(difference) }
    }
    return loss
}

/// Dropout: `y = x / (1 − p)` where the uniform number is p or more, and 0 elsewhere.
///
/// - Parameters:
///   - output: `y: [count]`, overwritten, or added to; may be the input itself.
///   - input: `x: [count]`.
///   - uniforms: `[count]`, from 0, below 1.
///   - probability: p, from 0, below 1.
///   - adding: whether the result is added to `output`.
public func dropElements(
    _ output: FloatView, _ input: FloatView, uniforms: FloatView, probability: Float,
    adding: Bool = false
) {
    let count = output.count
    precondition(input.count == count && uniforms.count == count, "\(count) numbers")
    precondition(probability >= 0 && probability < 1, "a probability of \(probability)")
    let scale = 1 / (1 - probability)
    let (x, y, u) = (input.pointer, output.pointer, uniforms.pointer)
    for index in stride(from: 0, to: count, by: laneCount) {
        let lanes = min(laneCount, count - index)
        let isKept = u.lanes(at: index, count: lanes) .>= probability
        let kept = (x.lanes(at: index, count: lanes) * scale).replacing(
            with: 0, where: .!isKept)
        let before = adding ? y.lanes(at: index, count: lanes) : Lanes(repeating: 0)
        y.store(before + kept, at: index, count: lanes)
    }
}

/// `x ← scale · x`.
///
/// - Parameters:
///   - values: `x: [count]`, updated.
///   - scale: the factor.
public func scale(_ values: FloatView, by scale: Float) {
    let x = values.pointer
    for index in stride(from: 0, to: values.count, by: laneCount) {
        let lanes = min(laneCount, values.count - index)
        x.store(x.lanes(at: index, count: lanes) * scale, at: index, count: lanes)
    }
}
