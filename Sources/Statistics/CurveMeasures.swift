import Foundation

/// The mean height of each prompt's curve against ln step: [prompts].
///
/// The trapezoid rule over ln step, divided by the range of ln step:
///
///     Σ_j ½ (v_j + v_(j+1)) (ln s_(j+1) − ln s_j) / (ln s_last − ln s_first),
///
/// so a curve that is constant has its value as its area. A prompt with a value that is not finite at
/// any step has no finite area; ``finiteRows(_:)`` finds the others.
///
/// - Parameters:
///   - values: one array per step: [prompts].
///   - steps: two or more steps, 1 or later, each after the one before.
public func areaAgainstLogStep(_ values: [[Float]], steps: [Int]) -> [Float] {
    precondition(
        steps.count >= 2 && steps[0] >= 1 && zip(steps, steps.dropFirst()).allSatisfy(<),
        "an area against ln step needs two or more increasing steps from 1 on")
    precondition(
        values.count == steps.count && values.allSatisfy { $0.count == values[0].count },
        "\(values.count) rows of prompts do not belong to \(steps.count) steps")
    let logs = steps.map { log(Double($0)) }
    let range = logs[logs.count - 1] - logs[0]
    var areas = [Double](repeating: 0, count: values[0].count)
    for (index, row) in values.enumerated() {
        // Half the distance between the neighbours is the weight of a step in the trapezoid rule.
        let before = logs[max(index - 1, 0)]
        let after = logs[min(index + 1, logs.count - 1)]
        let weight = (after - before) / (2 * range)
        for (prompt, value) in row.enumerated() { areas[prompt] += weight * Double(value) }
    }
    return areas.map { Float($0) }
}

/// The rows, in order, that are finite in every one of `arrays`.
///
/// Conditions stay paired when all of them keep the rows that are finite in all: pass the arrays of
/// every seed and condition of a comparison at once, then give each to ``selecting(_:rows:)``. The
/// result is empty when no row is left, and there is then nothing to bootstrap.
///
/// - Parameter arrays: at least one, all of the same length.
public func finiteRows(_ arrays: [[Float]]) -> [Int] {
    precondition(
        !arrays.isEmpty && arrays.allSatisfy { $0.count == arrays[0].count },
        "arrays of \(arrays.map(\.count)) values have no rows in common")
    return arrays[0].indices.filter { row in arrays.allSatisfy { $0[row].isFinite } }
}

/// The values of `rows`, in that order.
public func selecting(_ values: [Float], rows: [Int]) -> [Float] {
    rows.map { values[$0] }
}

/// The step from which a curve has left its plateau for good; nil when it never does.
///
/// The trailing mean at record j is the mean of the `window` records j − window + 1 … j; records
/// before the first whole window have none. The curve has escaped at record j when the trailing means
/// at j and at every later record lie strictly below share · plateau. The result is the step of the
/// first such record: a dip that does not last does not count, nor does one that the last record has
/// left again. A curve that is below from the start escapes at record window − 1. A trailing mean
/// that is not a number is not below. A trailing mean lags: a drop at once to 0 is seen after
/// more than (1 − share) · window records.
///
/// - Parameters:
///   - steps: the steps of the records, increasing.
///   - values: a loss or an error at each.
///   - plateau: the level of the plateau, above 0, in the units of `values`.
///   - window: records in a trailing mean, 1 or more; with fewer records than this there is no escape.
///   - share: how far below the plateau counts as off it, above 0.
public func escapeStep(
    steps: [Int], values: [Double], plateau: Double, window: Int, share: Double = 0.5
) -> Int? {
    precondition(
        steps.count == values.count && zip(steps, steps.dropFirst()).allSatisfy(<),
        "\(values.count) values do not belong to \(steps.count) increasing steps")
    precondition(
        plateau > 0 && share > 0 && window >= 1,
        "a share \(share) of a plateau \(plateau) over \(window) records is no bar")
    var escape: Int?
    for last in stride(from: values.count - 1, through: window - 1, by: -1) {
        let sum = values[last - window + 1...last].reduce(0, +)
        guard sum / Double(window) < share * plateau else { break }
        escape = steps[last]
    }
    return escape
}
