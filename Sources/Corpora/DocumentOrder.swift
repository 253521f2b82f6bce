import Randomness

/// The order in which an epoch goes through the documents.
public enum DocumentOrder {
    /// A permutation of 0 ..< `count`, uniformly drawn (Fisher–Yates, unbiased) and decided by its arguments alone.
    ///
    /// - Parameters:
    ///   - count: documents.
    ///   - seed: the run's seed.
    ///   - epoch: passes through the corpus before this one.
    public static func permutation(count: Int, seed: UInt64, epoch: Int) -> [Int] {
        var generator = CounterGenerator(
            RandomKey(seed: seed, stream: .corpusOrder, step: epoch))
        return generator.permutation(count)
    }
}
