import Kernels

extension LlamaConfiguration {
    /// Rows whose logits a pass keeps in memory at a time: about 64 MB of them, and enough rows for the products, which lay out
    /// the whole head for them.
    public var logitRows: Int { min(512, max(32, (1 << 24) / vocabularySize)) }

    /// The widest input or output of a layer's maps.
    var widestMap: Int { max(hiddenSize, intermediateSize, queryWidth) }

    /// Operands, of four bytes, of the largest left factor: a layer's, or the gradients of a few rows' logits.
    func factorCount(rows: Int, forTraining: Bool, precision: ProductPrecision) -> Int {
        max(
            PackedRows.operandCount(rows: rows, width: widestMap, precision: precision),
            forTraining
                ? PackedRows.operandCount(
                    rows: min(rows, logitRows), width: vocabularySize, precision: precision) : 0)
    }

    /// About how many bytes a `LlamaWorkspace` takes; a Double, since the square of a sequence's length may be beyond an Int.
    ///
    /// - Parameters:
    ///   - rows: largest number of rows of a call.
    ///   - longest: the longest sequence.
    ///   - forTraining: whether gradients will be asked for.
    ///   - workers: number of workers.
    ///   - recomputes: whether activations are computed a second time.
    ///   - precision: what the operands of products are rounded to.
    public func workspaceBytes(
        rows: Int, longest: Int, forTraining: Bool, workers: Int, recomputes: Bool = false,
        precision: ProductPrecision = .fp32
    ) -> Double {
        let (C, F) = (Double(hiddenSize), Double(intermediateSize))
        let (Q, G) = (Double(queryWidth), Double(keyValueWidth))
        let layers = Double(forTraining ? layerCount : 1)
        let activations =
            (recomputes ? 1 : layers) * (2 + Double(headCount) + 3 * C + 2 * Q + 2 * G + 3 * F)
        let streams = (forTraining ? layers + 2 : 3) * C
        let gradients = forTraining ? 2 * (C + Q + G + F) : 0
        // The activations' scales, the losses and the positions are few beside those.
        var numbers = Double(rows) * (activations + streams + gradients)
        numbers += Double(min(rows, logitRows)) * Double(vocabularySize)
        // Cosines and sines, then each worker's packed heads and scores, panels and sums.
        let T = Double(longest)
        numbers += T * Double(headSize)
        let packed = (forTraining ? 6 : 3) * T * Double(headSize)
        let scores = forTraining ? 2 * T * T : Double(12) * T
        let panels = Double(PanelScratch.numbers(rows: rows))
        numbers += Double(workers) * (packed + scores)
        for precision in precision == .bf16 ? [.fp32, precision] : [precision] {
            numbers += Double(workers) * panels
            numbers += Double(
                factorCount(rows: rows, forTraining: forTraining, precision: precision))
        }
        return numbers * Double(MemoryLayout<Float>.size)
    }
}
