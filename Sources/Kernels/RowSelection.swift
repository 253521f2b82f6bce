/// Takes the rows of some positions out of every sequence: `y[e, s] = x[e, positions[s]]`.
///
/// - Parameters:
///   - output: `y: [examples, S, width]`, overwritten.
///   - input: `x: [examples, length, width]`.
///   - positions: `[S]`, each below `length`.
///   - examples: number of sequences.
///   - length: positions of each sequence of `x`.
///   - width: length of a row.
public func gatherRows(
    output: FloatView, input: FloatView, positions: IndexView, examples: Int, length: Int,
    width: Int
) {
    forEachSelectedRow(
        whole: input, selected: output, positions: positions, examples: examples, length: length,
        width: width
    ) { whole, selected in selected.update(from: whole, count: width) }
}

/// Puts rows back to their positions, `y[e, positions[s]] = x[e, s]`, and 0 everywhere else: the gradient of
/// ``gatherRows(output:input:positions:examples:length:width:)``.
///
/// - Parameters:
///   - output: `y: [examples, length, width]`, overwritten.
///   - input: `x: [examples, S, width]`.
///   - positions: `[S]`, each below `length`.
///   - examples: number of sequences.
///   - length: positions of each sequence of `y`.
///   - width: length of a row.
public func scatterRows(
    output: FloatView, input: FloatView, positions: IndexView, examples: Int, length: Int,
    width: Int
) {
    precondition(output.count >= examples * length * width)
    output[0..<examples * length * width].fill(0)
    forEachSelectedRow(
        whole: output, selected: input, positions: positions, examples: examples, length: length,
        width: width
    ) { whole, selected in whole.update(from: selected, count: width) }
}

@inline(__always)
private func forEachSelectedRow(
    whole: FloatView, selected: FloatView, positions: IndexView, examples: Int, length: Int,
    width: Int,
    _ body: (_ whole: UnsafeMutablePointer<Float>, _ selected: UnsafeMutablePointer<Float>) -> Void
) {
    let count = positions.count
    precondition(whole.count >= examples * length * width)
    precondition(selected.count >= examples * count * width)
    for index in 0..<count {
        let position = Int(positions.pointer[index])
        precondition(position >= 0 && position < length, "position \(position) of \(length)")
        for example in 0..<examples {
            body(
                whole.pointer + (example * length + position) * width,
                selected.pointer + (example * count + index) * width)
        }
    }
}
