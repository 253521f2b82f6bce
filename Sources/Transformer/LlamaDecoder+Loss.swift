import Kernels

extension LlamaDecoder {
    /// The cross-entropy of each row with its target, in nats, after a forward pass on the same workspace: `[R]`.
    ///
    /// Logits are in memory for a few rows at a time.
    ///
    /// - Parameters:
    ///   - weights: the parameters.
    ///   - workspace: that of the pass.
    ///   - targets: `[R]`, each below V.
    public func losses(
        weights: LlamaWeights, workspace: LlamaWorkspace, targets: IndexView
    ) -> FloatView {
        overHeadRows(targets.count, workspace) { rows in
            let logits = workspace.logits[0..<rows.count * configuration.vocabularySize]
            self.logits(logits, weights: weights, workspace: workspace, rows: rows)
            entropies(logits, workspace, rows, targets: targets, lossWeights: nil)
        }
        return workspace.losses[0..<targets.count]
    }

    /// `Σ w ℓ` over the rows, and the gradients that it implies, added to `gradients`.
    ///
    /// - Parameters:
    ///   - weights: the parameters.
    ///   - gradients: parameter gradients, added to.
    ///   - workspace: memory for at least R rows, made for training.
    ///   - tokens: `[R]`, each below V.
    ///   - sequences: the rows of each sequence, in order and without gaps.
    ///   - targets: `[R]`, each below V.
    ///   - lossWeights: `w: [R]`; 0 where a row carries no loss; they hold the mean's divisor.
    /// - Returns: `Σ w ℓ`, with ℓ the cross-entropy in nats.
    public func lossAndGradients(
        weights: LlamaWeights, gradients: LlamaGradients, workspace: LlamaWorkspace,
        tokens: IndexView, sequences: [Range<Int>], targets: IndexView, lossWeights: FloatView
    ) -> Double {
        precondition(workspace.forTraining, "this workspace was made for the forward pass")
        let rows = tokens.count
        precondition(targets.count == rows && lossWeights.count == rows)
        forward(weights: weights, workspace: workspace, tokens: tokens, sequences: sequences)
        headBackward(
            weights: weights, gradients: gradients, workspace: workspace, targets: targets,
            lossWeights: lossWeights)
        let C = configuration.hiddenSize
        let scratch = workspace.scratch
        scratch.residual[0..<rows * C].fill(0)
        workspace.team.normalizeBackward(
            dInput: scratch.residual, dWeight: gradients.finalNorm, dOutput: scratch.normed,
            input: workspace.residual(configuration.layerCount), scale: workspace.finalScale,
            weight: weights.finalNorm, rows: rows)
        for layer in (0..<configuration.layerCount).reversed() {
            pass(layer, workspace, rows: rows).backward(
                weights: weights.layers[layer], gradients: gradients.layers[layer],
                scratch: scratch, sequences: sequences)
        }
        for row in 0..<rows {
            let token = Int(tokens[row])
            addScaled(
                gradients.embedding[token * C..<(token + 1) * C],
                scratch.residual[row * C..<(row + 1) * C], scale: 1)
        }
        var loss = 0.0
        for row in 0..<rows where lossWeights[row] != 0 {
            loss += Double(lossWeights[row]) * Double(workspace.losses[row])
        }
        return loss
    }

    /// Leaves the losses, and the gradient of the last normalisation's output in `scratch.normed`; adds that of the head.
    private func headBackward(
        weights: LlamaWeights, gradients: LlamaGradients, workspace: LlamaWorkspace,
        targets: IndexView, lossWeights: FloatView
    ) {
        let C = configuration.hiddenSize
        let V = configuration.vocabularySize
        overHeadRows(targets.count, workspace) { rows in
            let numbers = rows.lowerBound * C..<rows.upperBound * C
            let logits = workspace.logits[0..<rows.count * V]
            self.logits(logits, weights: weights, workspace: workspace, rows: rows)
            entropies(logits, workspace, rows, targets: targets, lossWeights: lossWeights)
            workspace.team.inputGradient(
                workspace.scratch.normed[numbers], dOutput: logits, weight: weights.head,
                rows: rows.count)
            workspace.team.weightGradient(
                LlamaLinear(weight: gradients.head, bias: nil), dOutput: logits,
                input: workspace.finalOutput[numbers], rows: rows.count, from: C)
        }
    }

    private func overHeadRows(
        _ rows: Int, _ workspace: LlamaWorkspace, _ body: (Range<Int>) -> Void
    ) {
        let size = workspace.logits.count / configuration.vocabularySize
        for first in stride(from: 0, to: rows, by: size) { body(first..<min(first + size, rows)) }
    }

    private func entropies(
        _ logits: FloatView, _ workspace: LlamaWorkspace, _ rows: Range<Int>, targets: IndexView,
        lossWeights: FloatView?
    ) {
        let V = configuration.vocabularySize
        workspace.team.overRows(rows.count, cost: 32 * V) { part in
            let range = rows.lowerBound + part.lowerBound..<rows.lowerBound + part.upperBound
            crossEntropy(
                losses: workspace.losses[range],
                logits: logits[part.lowerBound * V..<part.upperBound * V],
                targets: targets[range], weights: lossWeights?[range])
        }
    }
}

extension LlamaTeam {
    /// The gradients of RMSNorm: `dInput: [R, C]` and `dWeight: [C]`, both added to.
    func normalizeBackward(
        dInput: FloatView, dWeight: FloatView, dOutput: FloatView, input: FloatView,
        scale: FloatView, weight: FloatView, rows: Int
    ) {
        let width = weight.count
        overRows(rows, cost: 8 * width) { range in
            let numbers = range.lowerBound * width..<range.upperBound * width
            rmsNormInputGradient(
                dInput: dInput[numbers], dOutput: dOutput[numbers], input: input[numbers],
                scale: scale[range], weight: weight, rows: range.count)
        }
        // Columns are shared out like rows: each is a sum over all rows.
        overRows(width, cost: 2 * rows) { columns in
            rmsNormWeightGradient(
                dWeight: dWeight, dOutput: dOutput, input: input, scale: scale, rows: rows,
                columns: columns)
        }
    }
}
