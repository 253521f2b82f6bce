import Corpora
import Testing

/// Held-out documents, and the order of the others.
@Suite struct SplitTests {
    private static let documents = (0..<10_000).map {
        CorpusDocument(.text("document \($0)"), place: "\($0)")
    }

    /// Within 4 standard deviations of the binomial distribution: √(n p (1 − p)).
    @Test(arguments: [0.01, 0.1, 0.5, 0.9])
    func theShareIsHeldOut(share: Double) {
        let parts = CorpusSplit(heldOutShare: share).parts(of: Self.documents)
        let count = Double(Self.documents.count)
        let deviation = (count * share * (1 - share)).squareRoot()
        #expect(abs(Double(parts.heldOut.count) - count * share) < 4 * deviation)
        #expect(parts.heldOut.count + parts.training.count == Self.documents.count)
        #expect(Set(parts.heldOut).isDisjoint(with: parts.training))
    }

    @Test func nothingIsHeldOutWithoutAShare() {
        #expect(CorpusSplit(heldOutShare: 0).parts(of: Self.documents).heldOut.isEmpty)
    }

    /// A larger share holds out what a smaller one does, and more.
    @Test func sidesDependOnNothingElse() {
        let split = CorpusSplit(heldOutShare: 0.2)
        let all = split.parts(of: Self.documents)
        let few = Array(Self.documents.reversed().prefix(1000))
        let parts = split.parts(of: few)
        #expect(parts.heldOut == all.heldOut.reversed().filter { few.contains($0) })
        let more = CorpusSplit(heldOutShare: 0.3).parts(of: Self.documents)
        #expect(Set(more.heldOut).isSuperset(of: all.heldOut))
    }

    @Test func documentsThatSayTheSameAreOnTheSameSide() {
        let split = CorpusSplit(heldOutShare: 0.5)
        let others = Self.documents.map {
            CorpusDocument($0.content, place: "elsewhere", domain: "x", fields: ["y": "z"])
        }
        #expect(Self.documents.map(split.isHeldOut) == others.map(split.isHeldOut))
    }

    /// By the definition: the first 16 digits of `hello`'s digest (see CorpusTests) are a number of 2⁶⁴.
    @Test func theDigestDecides() throws {
        let document = CorpusDocument(.text("hello"), place: "")
        let digits = try #require(UInt64(String(document.digest.prefix(16)), radix: 16))
        let value = Double(digits) / 18_446_744_073_709_551_616
        #expect(!CorpusSplit(heldOutShare: value).isHeldOut(document))
        #expect(CorpusSplit(heldOutShare: value.nextUp).isHeldOut(document))
    }

    @Test func ordersArePermutationsOfTheirArguments() {
        let order = DocumentOrder.permutation(count: 1000, seed: 3, epoch: 2)
        #expect(order.sorted() == Array(0..<1000))
        #expect(DocumentOrder.permutation(count: 1000, seed: 3, epoch: 2) == order)
        #expect(DocumentOrder.permutation(count: 1000, seed: 3, epoch: 1) != order)
        #expect(DocumentOrder.permutation(count: 1000, seed: 4, epoch: 2) != order)
        #expect(DocumentOrder.permutation(count: 0, seed: 0, epoch: 0) == [])
        #expect(DocumentOrder.permutation(count: 1, seed: 0, epoch: 0) == [0])
    }

    /// Over seeds as over epochs every order of four is as likely: χ² of 23 degrees of freedom, 0.1 % critical value.
    @Test(arguments: [true, false])
    func ordersAreUniform(isOverEpochs: Bool) {
        var counts: [[Int]: Double] = [:]
        let draws = 24_000
        for draw in 0..<draws {
            let order = DocumentOrder.permutation(
                count: 4, seed: isOverEpochs ? 9 : UInt64(draw), epoch: isOverEpochs ? draw : 0)
            counts[order, default: 0] += 1
        }
        let expected = Double(draws) / 24
        #expect(counts.count == 24)
        let chiSquared = counts.values.reduce(0) {
            $0 + ($1 - expected) * ($1 - expected) / expected
        }
        #expect(chiSquared < 49.73)
    }
}
