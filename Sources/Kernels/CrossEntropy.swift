import Foundation

/// The cross-entropy of each row of logits with its target, `ℓ = log Σ_v exp z_v − z_target` in nats, and in place of the
/// logits its gradient, `w (softmax(z) − 1_target)`.
///
/// - Parameters:
///   - losses: `ℓ: [rows]`, overwritten.
///   - logits: `z: [rows, V]`; overwritten by the gradients when there are weights.
///   - targets: `[rows]`, each below V.
///   - weights: `w: [rows]`; nil leaves the logits as they are. A row of weight 0 gets a gradient of exact zeros,
///     if its logits are finite.
public func crossEntropy(
    losses: FloatView, logits: FloatView, targets: IndexView, weights: FloatView?
) {
    let rows = losses.count
    precondition(rows > 0 && targets.count == rows && (weights?.count ?? rows) == rows)
    let width = logits.count / rows
    precondition(logits.count == rows * width)
    for row in 0..<rows {
        let z = logits.pointer + row * width
        let target = Int(targets.pointer[row])
        precondition(target >= 0 && target < width, "target \(target) of \(width)")
        let targetLogit = z[target]
        var peak = Lanes(repeating: -.infinity)
        for index in stride(from: 0, to: width / laneCount * laneCount, by: laneCount) {
            let lanes = z.lanes(at: index)
            peak.replace(with: lanes, where: lanes .> peak)
        }
        var largest = peak.largest
        for index in width / laneCount * laneCount..<width { largest = max(largest, z[index]) }
        // exp(x) for x ≤ 0, and 0 where it is smaller than any normal number: most subnormal ones, which slow products down, are
        // avoided thus; a row's weight makes a few of the others. Written twice: Swift 6.3.1 calls a function of it for each
        // vector, which took 1.6 % of an update.
        var sum = Lanes(repeating: 0)
        let whole = width / laneCount * laneCount
        for index in stride(from: 0, to: whole, by: laneCount) {
            let x = z.lanes(at: index) - largest
            let terms = exponential(x).replacing(with: 0, where: x .< -87)
            sum += terms
            if weights != nil { z.store(terms, at: index) }
        }
        if whole < width {
            let x = z.partialLanes(at: whole, count: width - whole) - largest
            let terms = exponential(x).replacing(with: 0, where: x .< -87)
            sum += terms.replacing(with: 0, where: laneNumbers .>= Float(width - whole))
            if weights != nil { z.storePartial(terms, at: whole, count: width - whole) }
        }
        let normalizer = sum.total
        // The two large numbers first: the logarithm is small beside them.
        losses.pointer[row] = log(normalizer) + (largest - targetLogit)
        guard let weights else { continue }
        let weight = weights.pointer[row]
        let factor = weight / normalizer
        for index in stride(from: 0, to: whole, by: laneCount) {
            z.store(z.lanes(at: index) * factor, at: index)
        }
        for index in whole..<width { z[index] *= factor }
        z[target] -= weight
    }
}
