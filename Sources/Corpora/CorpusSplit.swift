/// Which documents are held out of training.
///
/// A document's own digest decides, so its side depends neither on the order nor on the other documents, and documents
/// that say the same are on the same side.
public struct CorpusSplit: Sendable, Hashable {
    /// The share of the documents that is held out, in expectation.
    public let heldOutShare: Double

    /// - Precondition: 0 ≤ `heldOutShare` < 1.
    public init(heldOutShare: Double) {
        precondition(
            heldOutShare >= 0 && heldOutShare < 1, "the share \(heldOutShare) is not in 0 ..< 1")
        self.heldOutShare = heldOutShare
    }

    /// Whether u / 2⁶⁴ < ``heldOutShare``; u is the number that the digest's first 16 hexadecimal digits write.
    public func isHeldOut(_ document: CorpusDocument) -> Bool {
        let number = UInt64(document.digest.prefix(16), radix: 16)
        return Double(number ?? 0) * 0x1p-64 < heldOutShare
    }

    /// The documents on both sides, each in its old order.
    public func parts(
        of documents: [CorpusDocument]
    ) -> (training: [CorpusDocument], heldOut: [CorpusDocument]) {
        var parts: (training: [CorpusDocument], heldOut: [CorpusDocument]) = ([], [])
        for document in documents {
            if isHeldOut(document) {
                parts.heldOut.append(document)
            } else {
                parts.training.append(document)
            }
        }
        return parts
    }
}
