import TestSupport
import Testing

@testable import Kernels

/// What attention may depend on: earlier tokens of the same sequence and head, and nothing left in its scratch.
@Suite struct AttentionMemoryTests {
    typealias Passes = AttentionTests.Passes

    static let shapes = [1, 2, 5, 16, 17, 33, 50].flatMap { length in
        [5, 16, 20].map {
            AttentionShape(examples: 2, length: length, headCount: 2, headSize: $0)
        }
    }

    /// Fills every buffer of a scratch, found by reflection so that none is forgotten.
    private func fill(_ scratch: AttentionScratch, with value: Float) {
        let views = Mirror(reflecting: scratch).children.compactMap { $0.value as? FloatView }
        #expect(views.count >= 9)
        for view in views { view.fill(value) }
    }

    private func difference(_ one: Passes, _ other: Passes) -> String? {
        firstDifference(one.output.view.array, other.output.view.array)
            ?? firstDifference(one.logNormalizer.view.array, other.logNormalizer.view.array)
            ?? firstDifference(one.gradient.view.array, other.gradient.view.array)
    }

    @Test func nothingLeftInTheScratchIsEverRead() {
        for shape in Self.shapes {
            let (tokens, dOutput) = AttentionTests.random(shape, seed: 23)
            let fresh = Passes(
                tokens, dOutput: dOutput, shape: shape,
                scratch: AttentionScratch(longest: shape, forTraining: true))
            let longest = AttentionShape(
                examples: 1, length: shape.length + 37, headCount: 2, headSize: shape.headSize)
            for capacity in [shape, longest] {
                let scratch = AttentionScratch(longest: capacity, forTraining: true)
                for poison in [Float.nan, .infinity, 1e30] {
                    fill(scratch, with: poison)
                    let found = Passes(tokens, dOutput: dOutput, shape: shape, scratch: scratch)
                    #expect(difference(found, fresh) == nil, "\(poison) in the scratch, \(shape)")
                }
            }
        }
    }

    /// Positions after which a tile of keys reaches past the last column of scores that a tile of queries has computed.
    @Test(arguments: [
        (40, [3, 15]), (40, [15]), (64, [15, 31, 47]), (64, [0, 14, 15, 30, 31, 47, 63]),
        (50, Array(stride(from: 1, to: 50, by: 3))),
    ])
    func nothingLeftInTheScratchIsReadWhenPositionsAreChosen(length: Int, positions: [Int]) {
        let shape = AttentionShape(
            examples: 2, length: length, headCount: 2, headSize: 20, queryCount: positions.count)
        let (tokens, dOutput) = AttentionTests.random(shape, seed: 29)
        let scratch = AttentionScratch(longest: shape, forTraining: true)
        let fresh = Passes(
            tokens, dOutput: dOutput, shape: shape, positions: positions, scratch: scratch)
        for poison in [Float.nan, .infinity, 1e30] {
            fill(scratch, with: poison)
            let found = Passes(
                tokens, dOutput: dOutput, shape: shape, positions: positions, scratch: scratch)
            #expect(difference(found, fresh) == nil, "\(poison) in the scratch, \(positions)")
        }
    }

    @Test func nothingOfALongerEarlierSequenceIsEverRead() {
        for shape in Self.shapes {
            let long = AttentionShape(
                examples: 1, length: shape.length + 37, headCount: 2, headSize: shape.headSize)
            let (tokens, dOutput) = AttentionTests.random(shape, seed: 24)
            let earlier = AttentionTests.random(long, scale: 4, seed: 25)
            let used = AttentionScratch(longest: long, forTraining: true)
            _ = Passes(earlier.tokens, dOutput: earlier.dOutput, shape: long, scratch: used)
            let fresh = AttentionScratch(longest: shape, forTraining: true)
            #expect(
                difference(
                    Passes(tokens, dOutput: dOutput, shape: shape, scratch: used),
                    Passes(tokens, dOutput: dOutput, shape: shape, scratch: fresh)) == nil,
                "\(shape)")
        }
    }

    @Test func aLaterTokenNeverChangesAnEarlierOutput() {
        for shape in Self.shapes where shape.length > 1 {
            let scratch = AttentionScratch(longest: shape, forTraining: true)
            let (tokens, dOutput) = AttentionTests.random(shape, seed: 26)
            let before = Passes(tokens, dOutput: dOutput, shape: shape, scratch: scratch)
                .output.view.array
            let wide = 3 * shape.channels
            for changed in 1..<shape.length {
                var other = tokens
                // Example 0 alone is changed, by numbers that would show anywhere.
                for channel in 0..<wide { other[changed * wide + channel] += 100 }
                let after = Passes(other, dOutput: dOutput, shape: shape, scratch: scratch)
                    .output.view.array
                let earlier = changed * shape.channels
                let second = shape.length * shape.channels
                let own = earlier..<earlier + shape.channels
                for rows in [0..<earlier, second..<2 * second] {
                    let difference = firstDifference(Array(after[rows]), Array(before[rows]))
                    #expect(difference == nil, "token \(changed), rows \(rows), \(shape)")
                }
                #expect(firstDifference(Array(after[own]), Array(before[own])) != nil)
            }
        }
    }

    @Test func anEarlierOutputsGradientNeverReachesALaterToken() {
        for shape in Self.shapes where shape.length > 1 {
            let scratch = AttentionScratch(longest: shape, forTraining: true)
            let (tokens, _) = AttentionTests.random(shape, seed: 27)
            for row in 0..<shape.length - 1 {
                var dOutput = [Float](
                    repeating: 0, count: shape.examples * shape.length * shape.channels)
                for channel in 0..<shape.channels { dOutput[row * shape.channels + channel] = 1 }
                let gradient = Passes(tokens, dOutput: dOutput, shape: shape, scratch: scratch)
                    .gradient.view.array
                let later = (row + 1) * 3 * shape.channels
                let reached = gradient.lastIndex { $0 != 0 } ?? -1
                #expect((0..<later).contains(reached), "row \(row), \(shape)")
            }
        }
    }

    @Test func examplesAndHeadsDoNotMix() {
        let one = AttentionShape(examples: 1, length: 21, headCount: 1, headSize: 12)
        let all = AttentionShape(examples: 3, length: 21, headCount: 4, headSize: 12)
        let (tokens, dOutput) = AttentionTests.random(all, seed: 28)
        let scratch = AttentionScratch(longest: all, forTraining: true)
        let whole = Passes(tokens, dOutput: dOutput, shape: all, scratch: scratch)
        for example in 0..<all.examples {
            for head in 0..<all.headCount {
                /// The channels of this head out of rows of `parts` · C.
                func pick(_ values: [Float], parts: Int) -> [Float] {
                    (0..<all.length * parts).flatMap { row in
                        let start = (example * all.length * parts + row) * all.channels
                        return values[start + head * 12..<start + (head + 1) * 12]
                    }
                }
                let alone = Passes(
                    pick(tokens, parts: 3), dOutput: pick(dOutput, parts: 1), shape: one,
                    scratch: scratch)
                #expect(
                    firstDifference(
                        alone.output.view.array, pick(whole.output.view.array, parts: 1)) == nil)
                #expect(
                    firstDifference(
                        alone.gradient.view.array, pick(whole.gradient.view.array, parts: 3))
                        == nil)
            }
        }
    }
}
