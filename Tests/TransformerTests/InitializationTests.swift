import Foundation
import Kernels
import TestSupport
import Testing

@testable import Transformer

/// Fresh parameters: the public code's distributions, decided by the seed alone.
@Suite struct InitializationTests {
    static let configuration = DecoderConfiguration(
        inputDimension: 20, positionCount: 202, embeddingDimension: 64, layerCount: 3,
        headCount: 4)
    let decoder = Decoder(configuration)

    private func moments(_ values: [Double]) -> (mean: Double, deviation: Double) {
        let mean = values.reduce(0, +) / Double(values.count)
        let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        return (mean, (squares / Double(values.count)).squareRoot())
    }

    @Test func everyTensorHasItsDistribution() {
        for tensor in decoder.layout.tensors(in: decoder.initialParameters(seed: 1)) {
            let values = tensor.view.doubles
            let name = tensor.name
            if name.hasPrefix("_read_") {
                let bound = 1 / Double(name.hasPrefix("_read_in") ? 20 : 64).squareRoot()
                #expect(values.allSatisfy { abs($0) <= bound }, "\(name)")
                // A single read-out bias has no statistics.
                guard values.count > 1 else { continue }
                #expect((values.max() ?? 0) > 0.8 * bound && (values.min() ?? 0) < -0.8 * bound)
                let (_, deviation) = moments(values)
                let share = deviation / (bound / 3.0.squareRoot())
                #expect(abs(share - 1) < 0.2, "\(name): \(share) of the expected deviation")
            } else if name.contains("ln_") {
                #expect(values.allSatisfy { $0 == (name.hasSuffix("weight") ? 1 : 0) }, "\(name)")
            } else if name.hasSuffix("bias") {
                #expect(values.allSatisfy { $0 == 0 }, "\(name)")
            } else {
                let expected = name.hasSuffix("c_proj.weight") ? 0.02 / 6.0.squareRoot() : 0.02
                let (mean, deviation) = moments(values)
                // Five standard errors of a mean and of a standard deviation.
                let n = Double(values.count)
                #expect(abs(mean) < 5 * expected / n.squareRoot(), "\(name): mean \(mean)")
                #expect(
                    abs(deviation / expected - 1) < 5 / (2 * n).squareRoot(),
                    "\(name): deviation \(deviation) instead of \(expected)")
            }
        }
    }

    @Test func theSeedAloneDecides() {
        let first = decoder.initialParameters(seed: 7)
        let again = Decoder(Self.configuration).initialParameters(seed: 7)
        #expect(firstDifference(first.array, again.array) == nil)
        let other = decoder.initialParameters(seed: 8)
        for (one, two) in zip(decoder.layout.tensors(in: first), decoder.layout.tensors(in: other))
        {
            let isFixed =
                one.name.contains("ln_") || one.name.hasSuffix("c_attn.bias")
                || one.name.hasSuffix("c_proj.bias") || one.name.hasSuffix("c_fc.bias")
            let isSame = firstDifference(one.view.array, two.view.array) == nil
            #expect(isSame == isFixed, "\(one.name)")
        }
    }

    @Test func noTwoTensorsHoldTheSameDraws() {
        let tensors = decoder.layout.tensors(in: decoder.initialParameters(seed: 9))
        let drawn = tensors.filter { $0.view[0] != 0 && $0.view[0] != 1 }
        // Scaled differently, so compared by the ratio of the first two numbers.
        let ratios = drawn.filter { $0.view.count > 1 }.map { $0.view[0] / $0.view[1] }
        #expect(ratios.count == 4 + 4 * 3)
        #expect(Set(ratios).count == ratios.count)
    }

    @Test func theGapsBetweenTensorsStayZero() {
        let narrow = Decoder(
            DecoderConfiguration(
                inputDimension: 3, positionCount: 5, embeddingDimension: 6, layerCount: 1,
                headCount: 2))
        let flat = narrow.initialParameters(seed: 1).array
        var isGap = [Bool](repeating: true, count: flat.count)
        for entry in narrow.layout.entries { for index in entry.range { isGap[index] = false } }
        #expect(isGap.contains(true))
        #expect(zip(flat, isGap).allSatisfy { !$1 || $0 == 0 })
    }

    @Test func namesAndShapesAreThePublicCodes() {
        let layout = DecoderConfiguration(
            inputDimension: 3, positionCount: 10, embeddingDimension: 8, layerCount: 1,
            headCount: 2
        ).layout
        let found = layout.entries.map { "\($0.name) \($0.shape)" }
        #expect(
            found == [
                "_read_in.weight [8, 3]", "_read_in.bias [8]", "_backbone.wpe.weight [10, 8]",
                "_backbone.h.0.ln_1.weight [8]", "_backbone.h.0.ln_1.bias [8]",
                "_backbone.h.0.attn.c_attn.weight [8, 24]", "_backbone.h.0.attn.c_attn.bias [24]",
                "_backbone.h.0.attn.c_proj.weight [8, 8]", "_backbone.h.0.attn.c_proj.bias [8]",
                "_backbone.h.0.ln_2.weight [8]", "_backbone.h.0.ln_2.bias [8]",
                "_backbone.h.0.mlp.c_fc.weight [8, 32]", "_backbone.h.0.mlp.c_fc.bias [32]",
                "_backbone.h.0.mlp.c_proj.weight [32, 8]", "_backbone.h.0.mlp.c_proj.bias [8]",
                "_backbone.ln_f.weight [8]", "_backbone.ln_f.bias [8]", "_read_out.weight [1, 8]",
                "_read_out.bias [1]",
            ])
    }

    /// The standard model (12 layers, width 256) on 64 prompts of 82 tokens: the convention's own arithmetic.
    @Test func trainingOperationsFollowTheConvention() {
        let standard = DecoderConfiguration(
            inputDimension: 20, positionCount: 202, embeddingDimension: 256, layerCount: 12,
            headCount: 8)
        let products = 6.0 * 12 * 12 * 256 * 256 * 64 * 82
        let attention = 12.0 * 12 * 82 * 82 * 256 * 64
        #expect(standard.trainingOperations(examples: 64, length: 82) == products + attention)
    }
}
