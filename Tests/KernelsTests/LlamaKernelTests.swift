import KernelCases
import Kernels
import TestSupport
import Testing

/// The kernels of Llama models against naive twins and differences.
@Suite struct LlamaKernelTests {
    static let cases: [CheckedKernel] = [
        norms, rotations, gates, attentions, products, entropies,
    ].flatMap { $0 }

    /// A row of one number is divided by itself: only a large ε leaves a gradient.
    private static let norms: [CheckedKernel] =
        normSizes.map { norm($0.rows, $0.width, epsilon: 1e-6) } + [norm(5, 1, epsilon: 1)]

    private static let normSizes: [(rows: Int, width: Int)] = [
        (1, 48), (3, 8), (4, 16), (5, 17), (6, 100), (7, 48), (11, 17), (12, 100), (13, 2),
        (25, 16), (195, 17),
    ]

    private static func norm(_ rows: Int, _ width: Int, epsilon: Float) -> CheckedKernel {
        CheckedKernel(
            declared: .rmsNorm(rows: rows, width: width, epsilon: epsilon),
            twin: { [Naive.rmsNorm($0[0], weight: $0[1], epsilon: Double(epsilon))] })
    }

    private static let rotations: [CheckedKernel] = rotationSizes.map {
        rotation(rows: $0.rows, heads: $0.heads, size: $0.size)
    }

    private static let rotationSizes: [(rows: Int, heads: Int, size: Int)] = [
        (1, 4, 2), (5, 2, 8), (13, 3, 48), (6, 1, 64), (25, 4, 20), (195, 2, 2),
    ]

    private static func rotation(rows: Int, heads: Int, size: Int) -> CheckedKernel {
        CheckedKernel(
            declared: .rotary(rows: rows, headCount: heads, headSize: size),
            twin: { inputs in
                let rotated = Naive.rotate(
                    inputs[0], positions: (0..<rows).map { 3 + $0 % 7 }, headCount: heads,
                    headSize: size,
                    frequencies: Naive.rotaryFrequencies(headSize: size, theta: 10_000))
                return [rotated]
            })
    }

    private static let gates: [CheckedKernel] = [1, 2, 15, 16, 17, 48, 100, 195 * 33].map { count in
        CheckedKernel(
            declared: .swiGLU(count: count),
            twin: { [Naive.swiGLU(gate: $0[0], up: $0[1])] })
    }

    /// Every length with every number of heads, and once with every size of a head.
    private static let attentions: [CheckedKernel] = {
        let heads = [(1, 1), (2, 2), (2, 1), (4, 2), (4, 1)]
        let sizes = [2, 8, 48, 64, 20]
        return heads.enumerated().flatMap { shift, counts in
            [1, 5, 18, 33, 40].enumerated().map { place, length in
                attention(
                    length: length, heads: counts.0, groups: counts.1,
                    size: sizes[(place + shift) % 5])
            }
        }
    }()

    private static func attention(
        length: Int, heads: Int, groups: Int, size: Int
    ) -> CheckedKernel {
        CheckedKernel(
            declared: .groupedAttention(
                length: length, headCount: heads, keyValueHeadCount: groups, headSize: size),
            twin: { inputs in
                let output = Naive.groupedAttention(
                    queries: inputs[0], keys: inputs[1], values: inputs[2], length: length,
                    headCount: heads, keyValueHeadCount: groups, headSize: size)
                return [output]
            },
            // A key by itself has no gradient, nor has its query: what is left are the roundings (1e-6) of two sums
            // that are equal, times a direction.
            absolute: length == 1 ? 2e-5 : 1e-8)
    }

    private static let products: [CheckedKernel] = StoredElement.allCases.flatMap { element in
        productSizes.flatMap { size in
            [true, false].map { adding in
                product(size.rows, size.from, size.to, element, adding: adding)
            }
        }
    }

    /// Rows that are summed one by one, in sixes and in tiles, all with a rest; widths of whole and of partial vectors, one and
    /// two panels; sums in one stretch and in several.
    static let productSizes: [(rows: Int, from: Int, to: Int)] = [
        (1, 48, 17), (3, 17, 48), (4, 100, 33), (5, 16, 16), (6, 8, 2), (7, 17, 33), (11, 2, 8),
        (12, 48, 17), (13, 100, 16), (25, 33, 100), (195, 17, 20),
        (25, 64, 64), (13, 2100, 35), (7, 35, 4200), (25, 1100, 300), (525, 17, 35),
    ]

    private static func product(
        _ rows: Int, _ from: Int, _ to: Int, _ element: StoredElement, adding: Bool
    ) -> CheckedKernel {
        CheckedKernel(
            declared: .storedLinear(
                rows: rows, from: from, to: to, element: element, adding: adding),
            twin: { inputs in
                var y = Naive.matrixProduct(
                    inputs[0], inputs[1], rows: rows, columns: to, inner: from, transposeB: true)
                for index in y.indices {
                    y[index] += inputs[2][index % to]
                    if adding { y[index] += inputs[3][index] }
                }
                return [y]
            },
            adjust: { inputs in
                var rounded = inputs
                rounded[1] = Naive.representable(inputs[1], element)
                return rounded
            })
    }

    private static let entropies: [CheckedKernel] = [5, 16, 33, 500].flatMap { vocabulary in
        [1, 4, 13].map { rows in entropy(rows, vocabulary) }
    }

    private static func entropy(_ rows: Int, _ vocabulary: Int) -> CheckedKernel {
        let targets = (0..<rows).map { $0 * 7 % vocabulary }
        return CheckedKernel(
            declared: .crossEntropy(rows: rows, vocabulary: vocabulary),
            twin: { [Naive.crossEntropy($0[0], targets: targets)] })
    }

    @Test func forwardEqualsTheNaiveTwin() {
        for kernel in Self.cases { kernel.expectForward() }
    }

    @Test func backwardAgreesWithDifferencesOfTheTwin() throws {
        for kernel in Self.cases { try kernel.expectBackward() }
    }
}

/// Queries at the end of a sequence, and cross-entropies at the edge.
@Suite struct LlamaKernelEdgeTests {
    private struct Attention {
        let length, headCount, groups, headSize: Int
        let queries, keys, values: [Float]

        init(length: Int, headCount: Int, groups: Int, headSize: Int) {
            var generator = TestGenerator(seed: 6)
            self.length = length
            self.headCount = headCount
            self.groups = groups
            self.headSize = headSize
            queries = generator.normals(length * headCount * headSize)
            keys = generator.normals(length * groups * headSize)
            values = generator.normals(length * groups * headSize)
        }

        /// Outputs `[count, H·K]` and normalisers `[H, count]` of the last `count` positions.
        func last(_ count: Int) -> (output: [Float], normalizer: [Float]) {
            let shape = GroupedAttentionShape(
                queryCount: count, length: length, headCount: headCount,
                keyValueHeadCount: groups, headSize: headSize)
            let scratch = AttentionScratch(
                longest: AttentionShape(
                    examples: 1, length: length, headCount: headCount, headSize: headSize),
                forTraining: false)
            let width = headCount * headSize
            let output = Guarded(count: count * width)
            let normalizer = Guarded(count: headCount * count)
            for group in 0..<groups {
                groupedAttentionForward(
                    output: output.view, logNormalizer: normalizer.view,
                    queries: Guarded(Array(queries.suffix(count * width))).view,
                    keys: Guarded(keys).view, values: Guarded(values).view,
                    positions: IndexView((length - count..<length).map(Int32.init)), shape: shape,
                    group: group, scratch: scratch)
            }
            #expect(output.isIntact && normalizer.isIntact)
            return (output.view.array, normalizer.view.array)
        }
    }

    /// Few queries, which read keys and values where they lie, against the naive twin: lengths around whole vectors, more
    /// rows of heads than a round has, shared keys and own ones. The tolerance is that of the declared case.
    @Test(arguments: [1, 2, 3, 4]) func fewQueriesAreTheNaiveOnes(count: Int) {
        for (length, heads, groups, size) in [
            (5, 4, 2, 16), (16, 2, 2, 64), (17, 8, 1, 32), (33, 4, 1, 48), (63, 14, 2, 16),
            (2, 2, 1, 16), (130, 6, 3, 128),
        ] where count < length {
            let attention = Attention(
                length: length, headCount: heads, groups: groups, headSize: size)
            let part = attention.last(count)
            let naive = Naive.groupedAttention(
                queries: attention.queries.doubles, keys: attention.keys.doubles,
                values: attention.values.doubles, length: length, headCount: heads,
                keyValueHeadCount: groups, headSize: size)
            let close = closeness(
                part.output.doubles, Array(naive.suffix(count * heads * size)), relative: 1e-5,
                scale: .largest)
            #expect(
                close.isWithin, "\(count) of \(length), \(heads) / \(groups) × \(size): \(close)")
            // The tiles' normalisers, to the same roundings.
            let all = attention.last(length).normalizer
            let normalizers = (0..<heads).flatMap {
                all[($0 + 1) * length - count..<($0 + 1) * length]
            }
            let near = closeness(
                part.normalizer.doubles, normalizers.doubles, relative: 1e-5, scale: .largest)
            #expect(near.isWithin, "\(count) of \(length): \(near)")
        }
    }

    /// A query's sums hang neither on the other queries nor on what stands behind its last key.
    @Test func aQueryAloneIsAQueryOfFour() {
        let attention = Attention(length: 37, headCount: 6, groups: 2, headSize: 32)
        let four = attention.last(4)
        let one = attention.last(1)
        #expect(firstDifference(one.output, Array(four.output.suffix(6 * 32))) == nil)
        let normalizers = (0..<6).map { four.normalizer[$0 * 4 + 3] }
        #expect(firstDifference(one.normalizer, normalizers) == nil)
    }

    /// The same bits: keys that a row does not see add exact zeros. Heads of whole vectors sum few queries in another order.
    @Test func theLastQueriesAloneGetTheLastRows() {
        for (length, heads, groups, size) in [
            (5, 4, 2, 8), (18, 2, 2, 20), (33, 4, 1, 48), (40, 2, 1, 2),
        ] {
            let attention = Attention(
                length: length, headCount: heads, groups: groups, headSize: size)
            let all = attention.last(length)
            let counts = [1, 2, 5, 12, 13, 18, 33].filter { $0 <= length }
            for count in counts where count > 4 || size % 16 != 0 {
                let part = attention.last(count)
                let rows = Array(all.output.suffix(count * heads * size))
                #expect(firstDifference(part.output, rows) == nil, "\(count) of \(length)")
                let normalizers = (0..<heads).flatMap {
                    all.normalizer[($0 + 1) * length - count..<($0 + 1) * length]
                }
                #expect(
                    firstDifference(part.normalizer, normalizers) == nil, "\(count) of \(length)")
            }
        }
    }

    /// Losses up to 20,000 to one rounding of a logit (1e-7), and gradients that are finite.
    @Test(arguments: [5, 16, 33])
    func hugeLogitsStayFinite(vocabulary: Int) {
        let logits = (0..<4 * vocabulary).map { index in
            Float(index % vocabulary % 2 == 0 ? 1e4 : -1e4)
        }
        // A likely target, an unlikely one, and both again in other places.
        let targets = [0, 1, 4, 3]
        let gradients = Guarded(logits)
        let losses = Guarded(count: 4)
        crossEntropy(
            losses: losses.view, logits: gradients.view,
            targets: IndexView(targets.map(Int32.init)), weights: FloatView([1, 1, 0.5, 2]))
        let close = closeness(
            losses.view.doubles, Naive.crossEntropy(logits.doubles, targets: targets),
            relative: 1e-7, scale: .largest)
        #expect(close.isWithin, "\(close)")
        let areFinite = gradients.view.array.allSatisfy { $0.isFinite }
        #expect(areFinite)
        #expect(losses.isIntact && gradients.isIntact)
    }

    @Test(arguments: [5, 16, 33, 500])
    func gradientsOfARowSumToZero(vocabulary: Int) {
        var generator = TestGenerator(seed: 7)
        let rows = 6
        let logits = generator.normals(rows * vocabulary, scale: 3)
        let weights: [Float] = [1, 0, 0.25, -2, 0, 1]
        let targets = IndexView((0..<rows).map { Int32($0 * 3 % vocabulary) })
        let gradients = Guarded(logits)
        let losses = Guarded(count: rows)
        crossEntropy(
            losses: losses.view, logits: gradients.view, targets: targets,
            weights: FloatView(weights))
        for row in 0..<rows {
            let gradient = gradients.view[row * vocabulary..<(row + 1) * vocabulary]
            if weights[row] == 0 {
                #expect(gradient.array.allSatisfy { $0 == 0 }, "row \(row)")
            } else {
                // Probabilities are rounded to 6e-8 of themselves, their normaliser after some thirty additions.
                let sum = abs(gradient.doubles.reduce(0, +))
                #expect(sum <= 2e-6 * Double(abs(weights[row])), "row \(row): \(sum)")
                #expect(gradient.array.contains { $0 != 0 })
            }
        }
        let untouched = Guarded(logits)
        let again = Guarded(count: rows)
        crossEntropy(losses: again.view, logits: untouched.view, targets: targets, weights: nil)
        #expect(firstDifference(untouched.view.array, logits) == nil)
        #expect(firstDifference(again.view.array, losses.view.array) == nil)
        #expect(losses.isIntact && gradients.isIntact && again.isIntact && untouched.isIntact)
    }
}
