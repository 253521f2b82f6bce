/// Sums lanes' gradients in a fixed tree, `((0+1)+(2+3))+((4+5)+(6+7))…`, and returns the sum's squared length.
///
/// - Parameters:
///   - total: `[count]`, overwritten in `range`.
///   - lanes: one view of `[count]` for each lane.
///   - used: how many of the lanes are summed, 1 or more; all of them when nil.
///   - range: the elements to sum; all of them when nil.
/// - Returns: `Σ total²` over the range, in double, vector lanes first and then stretches in order.
public func sumLanes(
    total: FloatView, lanes: [FloatView], used: Int? = nil, range: Range<Int>? = nil
) -> Double {
    let range = range ?? 0..<total.count
    let used = 0..<(used ?? lanes.count)
    precondition(!used.isEmpty && used.upperBound <= lanes.count, "\(used) of \(lanes.count) lanes")
    precondition(range.lowerBound >= 0 && range.upperBound <= total.count)
    for lane in used { precondition(lanes[lane].count == total.count) }
    var squares = 0.0
    let whole = range.lowerBound + range.count / laneCount * laneCount
    for index in stride(from: range.lowerBound, to: whole, by: laneCount) {
        let sum = treeSum(lanes, used) { $0.pointer.lanes(at: index) }
        total.pointer.store(sum, at: index)
        squares += Double((sum * sum).total)
    }
    if whole < range.upperBound {
        let rest = range.upperBound - whole
        let sum = treeSum(lanes, used) { $0.pointer.partialLanes(at: whole, count: rest) }
        total.pointer.storePartial(sum, at: whole, count: rest)
        squares += Double((sum * sum).total)
    }
    return squares
}

@inline(__always)
private func treeSum(
    _ lanes: [FloatView], _ range: Range<Int>, _ load: (FloatView) -> Lanes
) -> Lanes {
    // Written out for the usual eight lanes, so that the loads stay in registers.
    if range.count == 8 {
        let a = load(lanes[0]) + load(lanes[1])
        let b = load(lanes[2]) + load(lanes[3])
        let c = load(lanes[4]) + load(lanes[5])
        let d = load(lanes[6]) + load(lanes[7])
        return (a + b) + (c + d)
    }
    return pairwise(lanes, range, load)
}

private func pairwise(
    _ lanes: [FloatView], _ range: Range<Int>, _ load: (FloatView) -> Lanes
) -> Lanes {
    if range.count == 1 { return load(lanes[range.lowerBound]) }
    let middle = range.lowerBound + (range.count + 1) / 2
    return pairwise(lanes, range.lowerBound..<middle, load)
        + pairwise(lanes, middle..<range.upperBound, load)
}

/// `Σ x²` in double, vector lane by vector lane.
///
/// - Parameter input: `x`, any length.
public func squaredNorm(_ input: FloatView) -> Double {
    var squares = 0.0
    let whole = input.count / laneCount * laneCount
    for index in stride(from: 0, to: whole, by: laneCount) {
        let lanes = input.pointer.lanes(at: index)
        squares += Double((lanes * lanes).total)
    }
    if whole < input.count {
        let lanes = input.pointer.partialLanes(at: whole, count: input.count - whole)
        squares += Double((lanes * lanes).total)
    }
    return squares
}
