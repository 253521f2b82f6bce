import Kernels

extension LlamaConfiguration {
    /// Rows whose logits a pass keeps in memory at a time: about 64 MB of them, and enough rows for the products, which lay out
    /// the whole head for them.
    public var logitRows: Int { min(512, max(32, (1 << 24) / vocabularySize)) }

    /// About how many bytes a `LlamaWorkspace` takes; a Double, since the square of a sequence's length may be beyond an Int.
    ///
    /// - Parameters:
    ///   - rows: largest number of rows of a call.
    ///   - longest: the longest sequence.
    ///   - forTraining: whether gradients will be asked for.
    ///   - workers: number of workers.
    ///   - recomputes: whether activations are computed a second time.
    ///   - lora: the adapters at work; nil for none.
    ///   - precision: what the operands of products are rounded to.
    public func workspaceBytes(
        rows: Int, longest: Int, forTraining: Bool, workers: Int, recomputes: Bool = false,
        lora: LoRAConfiguration? = nil, precision: ProductPrecision = .fp32
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
        // Cosines and sines, then each worker's packed heads and scores, and what products need.
        let T = Double(longest)
        numbers += T * Double(headSize)
        let packed = (forTraining ? 6 : 3) * T * Double(headSize)
        let scores = forTraining ? 2 * T * T : Double(12) * T
        numbers += Double(workers) * (packed + scores)
        let sizes = ProductSizes(self, rows: rows, forTraining: forTraining, rank: lora?.rank ?? 0)
        func products(_ precision: ProductPrecision, _ sizes: ProductSizes, _ forTraining: Bool) {
            let stripes = forTraining ? ProductScratch.stripeNumbers : 0
            let own = PanelScratch.numbers(rows: sizes.rows) + stripes
            numbers += Double(workers * own) + Double(sizes.factorCount(precision))
            numbers += forTraining ? Double(sizes.columnCount(precision)) : 0
        }
        if precision == .bf16 {
            products(.bf16, sizes, forTraining && lora == nil)
            products(.fp32, sizes.besidesRounded, forTraining && lora != nil)
        } else {
            products(.fp32, sizes, forTraining)
        }
        if let lora {
            // What adapters keep of each layer, and a gradient; inputs with some left out, and what decides.
            let kept = (forTraining && !recomputes ? layers : 1) * Double(lora.targets.count) + 1
            let widest = lora.targets.map { $0.widths(self).from }.max() ?? 0
            let dropped = lora.dropout > 0 ? 2 * Double(widest) : 0
            numbers += Double(rows) * (kept * Double(lora.rank) + dropped)
        }
        return numbers * Double(MemoryLayout<Float>.size)
    }
}

/// Sizes of the largest products of a workspace.
struct ProductSizes {
    /// Rows of a call.
    let rows: Int
    /// The widest input or output of a layer's maps or of adapters.
    let widest: Int
    /// The vocabulary and the rows of its gradients' factor; 0 where there are none.
    let vocabulary, logitRows: Int

    /// - Parameters:
    ///   - configuration: the model's sizes.
    ///   - rows: largest number of rows of a call.
    ///   - forTraining: whether gradients will be asked for.
    ///   - rank: that of the adapters; 0 for none.
    init(_ configuration: LlamaConfiguration, rows: Int, forTraining: Bool, rank: Int) {
        self.init(
            rows: rows,
            widest: max(
                configuration.hiddenSize, configuration.intermediateSize, configuration.queryWidth,
                rank),
            vocabulary: forTraining ? configuration.vocabularySize : 0,
            logitRows: min(rows, configuration.logitRows))
    }

    private init(rows: Int, widest: Int, vocabulary: Int, logitRows: Int) {
        self.rows = rows
        self.widest = widest
        self.vocabulary = vocabulary
        self.logitRows = logitRows
    }

    /// What fp32 is for where products are rounded: adapters, and passes without gradients.
    var besidesRounded: ProductSizes {
        ProductSizes(rows: rows, widest: widest, vocabulary: 0, logitRows: 0)
    }

    /// Operands, of four bytes, of the largest left factor: a layer's, or the gradients of a few rows' logits.
    func factorCount(_ precision: ProductPrecision) -> Int {
        max(
            PackedRows.operandCount(rows: rows, width: widest, precision: precision),
            PackedRows.operandCount(rows: logitRows, width: vocabulary, precision: precision))
    }

    /// Operands of the largest right factor of weight gradients.
    func columnCount(_ precision: ProductPrecision) -> Int {
        PackedColumns.operandCount(rows: rows, width: widest, precision: precision)
    }
}
