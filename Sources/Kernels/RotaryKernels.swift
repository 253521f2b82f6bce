/// Rotates the heads of each row in place by the angles of its position: with h = K / 2,
/// `(x_j, x_{j+h}) ← (x_j cos − x_{j+h} sin, x_{j+h} cos + x_j sin)` for j < h.
///
/// The two numbers of a pair lie half a head apart, as in Hugging Face's files. The gradient is the rotation back.
///
/// - Parameters:
///   - rows: `x: [rows, heads · K]`, overwritten.
///   - cosines: `[positions, K / 2]`.
///   - sines: `[positions, K / 2]`.
///   - positions: `[rows]`: which row of the tables.
///   - headCount: heads of a row.
///   - headSize: K.
///   - backward: whether to rotate the other way.
///
/// Source: Su et al. 2021, equation 34.
public func rotateHeads(
    rows: FloatView, cosines: FloatView, sines: FloatView, positions: IndexView, headCount: Int,
    headSize: Int, backward: Bool = false
) {
    let half = headSize / 2
    let width = headCount * headSize
    precondition(rows.count >= positions.count * width && cosines.count == sines.count)
    for row in 0..<positions.count {
        let table = Int(positions.pointer[row]) * half
        precondition(table >= 0 && table + half <= cosines.count, "a position outside the tables")
        for head in 0..<headCount {
            let x = rows.pointer + row * width + head * headSize
            for place in stride(from: 0, to: half, by: laneCount) {
                let count = min(laneCount, half - place)
                let cosine = cosines.pointer.lanes(at: table + place, count: count)
                let sine = sines.pointer.lanes(at: table + place, count: count)
                let first = x.lanes(at: place, count: count)
                let second = x.lanes(at: half + place, count: count)
                let turned = backward ? -sine : sine
                x.store(first * cosine - second * turned, at: place, count: count)
                x.store(second * cosine + first * turned, at: half + place, count: count)
            }
        }
    }
}
