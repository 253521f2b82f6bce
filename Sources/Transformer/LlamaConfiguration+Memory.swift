import Kernels

extension LlamaConfiguration {
    /// Rows whose logits a pass keeps in memory at a time: about 16 MB of them, and enough rows for the products.
    public var logitRows: Int { min(256, max(32, (1 << 22) / vocabularySize)) }

    /// About how many bytes a `LlamaWorkspace` takes; a Double, since the square of a sequence's length may be beyond an Int.
    ///
    /// - Parameters:
    ///   - rows: largest number of rows of a call.
    ///   - longest: the longest sequence.
    ///   - forTraining: whether gradients will be asked for.
    ///   - workers: number of workers.
    ///   - recomputes: whether activations are computed a second time.
    public func workspaceBytes(
        rows: Int, longest: Int, forTraining: Bool, workers: Int, recomputes: Bool = false
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
        // Cosines and sines, then each worker's packed heads, panel and scores.
        let T = Double(longest)
        numbers += T * Double(headSize)
        let packed = (forTraining ? 6 : 3) * T * Double(headSize)
        let scores = forTraining ? 2 * T * T : Double(12) * T
        let tallest = max(
            hiddenSize, intermediateSize, queryWidth, forTraining ? vocabularySize : 0)
        numbers += Double(workers) * (packed + scores + 16 * Double(tallest))
        return numbers * Double(MemoryLayout<Float>.size)
    }
}
