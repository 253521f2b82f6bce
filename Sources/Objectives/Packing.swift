/// Several sequences in the rows of one, so that short ones do not leave a step half empty.
///
/// A bin's sequences do not see each other: attention is block-diagonal and positions restart, so that each has the
/// loss it has alone.
public enum Packing {
    /// Bins that are open at a time.
    private static let openCount = 16

    /// Puts sequences into bins of at most `maximumLength` tokens in total.
    ///
    /// First fit, in order, over the 16 youngest bins: it fills bins better than closing each when the next sequence
    /// does not fit, and a sequence stays near its place in the shuffled order, which first fit over all bins would not
    /// keep. Bins come out in the order in which they were opened.
    ///
    /// - Parameters:
    ///   - lengths: of the sequences, in tokens; 1 to `maximumLength`.
    ///   - maximumLength: tokens of a bin.
    /// - Returns: indices of `lengths`, each in one bin, ascending within a bin.
    public static func bins(lengths: [Int], maximumLength: Int) -> [[Int]] {
        var bins: [[Int]] = []
        var room: [Int] = []
        for (index, length) in lengths.enumerated() {
            precondition(
                (1...maximumLength).contains(length),
                "a sequence of \(length) tokens for bins of \(maximumLength)")
            let open = max(0, bins.count - openCount)..<bins.count
            if let bin = open.first(where: { room[$0] >= length }) {
                bins[bin].append(index)
                room[bin] -= length
            } else {
                bins.append([index])
                room.append(maximumLength - length)
            }
        }
        return bins
    }

    /// Every sequence in a bin of its own.
    public static func unpacked(count: Int) -> [[Int]] { (0..<count).map { [$0] } }
}
