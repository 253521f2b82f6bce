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
    ///   - lossWeights: `[R]`; where they are 0 nothing is computed and the loss is 0; nil for all rows.
    ///   - isExact: whether the head's products are fp32 whatever the workspace's precision.
    public func losses(
        weights: LlamaWeights, workspace: LlamaWorkspace, targets: IndexView,
        lossWeights: FloatView? = nil, isExact: Bool = false
    ) -> FloatView {
        workspace.losses[0..<targets.count].fill(0)
        overHeadRows(targets.count, workspace, lossWeights) { rows in
            let head = workspace.head(rows, targets: targets, lossWeights: nil)
            logits(of: head, weights: weights, workspace: workspace, isExact: isExact)
            entropies(head, workspace, lossWeights: nil)
        }
        return workspace.losses[0..<targets.count]
    }

    /// `Σ w ℓ` over the rows, and the gradients that it implies, added to `gradients`.
    ///
    /// - Parameters:
    ///   - weights: the parameters.
    ///   - gradients: parameter gradients, added to; nil where the parameters are frozen.
    ///   - adapters: what is added to the parameters, with gradients of its own; nil for nothing.
    ///   - workspace: memory for at least R rows, made for training.
    ///   - tokens: `[R]`, each below V.
    ///   - sequences: the rows of each sequence, in order and without gaps.
    ///   - targets: `[R]`, each below V.
    ///   - lossWeights: `w: [R]`; 0 where a row carries no loss; they hold the mean's divisor.
    /// - Returns: `Σ w ℓ`, with ℓ the cross-entropy in nats.
    public func lossAndGradients(
        weights: LlamaWeights, gradients: LlamaGradients?, adapters: LoRATraining? = nil,
        workspace: LlamaWorkspace, tokens: IndexView, sequences: [Range<Int>], targets: IndexView,
        lossWeights: FloatView
    ) -> Double {
        forward(
            weights: weights, adapters: adapters?.parameters, dropout: adapters?.dropout,
            workspace: workspace, tokens: tokens, sequences: sequences)
        return backward(
            weights: weights, gradients: gradients, adapters: adapters, workspace: workspace,
            tokens: tokens, sequences: sequences, targets: targets, lossWeights: lossWeights)
    }

    /// As ``lossAndGradients(weights:gradients:adapters:workspace:tokens:sequences:targets:lossWeights:)``, after a forward
    /// pass over the same rows with the same adapters and dropout: for losses whose weights hang on the rows' losses.
    public func backward(
        weights: LlamaWeights, gradients: LlamaGradients?, adapters: LoRATraining? = nil,
        workspace: LlamaWorkspace, tokens: IndexView, sequences: [Range<Int>], targets: IndexView,
        lossWeights: FloatView
    ) -> Double {
        precondition(workspace.forTraining, "this workspace was made for the forward pass")
        let rows = tokens.count
        precondition(targets.count == rows && lossWeights.count == rows)
        headBackward(
            weights: weights, gradients: gradients, workspace: workspace, targets: targets,
            lossWeights: lossWeights)
        let C = configuration.hiddenSize
        let scratch = workspace.scratch
        scratch.residual[0..<rows * C].fill(0)
        workspace.team.normalizeBackward(
            dInput: scratch.residual, dWeight: gradients?.finalNorm, dOutput: scratch.normed,
            input: workspace.residual(configuration.layerCount), scale: workspace.finalScale,
            weight: weights.finalNorm, rows: rows)
        for layer in (0..<configuration.layerCount).reversed() {
            let pass = pass(
                layer, workspace, rows: rows, adapters: adapters?.parameters,
                dropout: adapters?.dropout)
            // What the top layer left is still there.
            if workspace.recomputes, layer < configuration.layerCount - 1 {
                let saved = workspace.layer(layer)
                pass.forward(
                    weights: weights.layers[layer], keys: saved.keys, values: saved.values,
                    segments: segments(sequences, saved), givesOutput: false)
            }
            pass.backward(
                weights: weights.layers[layer], gradients: gradients?.layers[layer],
                adapterGradients: adapters?.gradients.layers[layer] ?? [:], scratch: scratch,
                sequences: sequences)
        }
        if let gradients {
            for row in 0..<rows {
                let token = Int(tokens[row])
                addScaled(
                    gradients.embedding[token * C..<(token + 1) * C],
                    scratch.residual[row * C..<(row + 1) * C], scale: 1)
            }
        }
        var loss = 0.0
        for row in 0..<rows where lossWeights[row] != 0 {
            loss += Double(lossWeights[row]) * Double(workspace.losses[row])
        }
        return loss
    }

    /// Leaves the losses, and the gradient of the last normalisation's output in `scratch.normed`; adds that of the head.
    ///
    /// Rows without loss, such as those of a prompt, never meet the vocabulary.
    private func headBackward(
        weights: LlamaWeights, gradients: LlamaGradients?, workspace: LlamaWorkspace,
        targets: IndexView, lossWeights: FloatView
    ) {
        let C = configuration.hiddenSize
        workspace.scratch.normed[0..<targets.count * C].fill(0)
        overHeadRows(targets.count, workspace, lossWeights) { rows in
            let head = workspace.head(rows, targets: targets, lossWeights: lossWeights)
            logits(of: head, weights: weights, workspace: workspace)
            entropies(head, workspace, lossWeights: head.lossWeights)
            workspace.team.inputGradient(
                head.gradient, dOutput: head.logits, weight: weights.head, rows: rows.count)
            for (place, row) in rows.enumerated() {
                workspace.scratch.normed[row * C..<(row + 1) * C]
                    .copy(from: head.gradient[place * C..<(place + 1) * C])
            }
            guard let gradients else { return }
            workspace.team.weightGradients(
                [
                    LlamaTeam.GradientTask(
                        gradients: LlamaLinear(weight: gradients.head, bias: nil),
                        dOutput: head.logits)
                ], input: head.input, rows: rows.count, from: C)
        }
    }

    /// Calls `body` with the rows that carry loss, as many at a time as have logits in memory.
    private func overHeadRows(
        _ rows: Int, _ workspace: LlamaWorkspace, _ lossWeights: FloatView?,
        _ body: (ArraySlice<Int>) -> Void
    ) {
        let chosen = (0..<rows).filter { row in lossWeights.map { $0[row] != 0 } ?? true }
        let size = workspace.logits.count / configuration.vocabularySize
        for first in stride(from: 0, to: chosen.count, by: size) {
            body(chosen[first..<min(first + size, chosen.count)])
        }
    }

    private func logits(
        of head: HeadRows, weights: LlamaWeights, workspace: LlamaWorkspace, isExact: Bool = false
    ) {
        workspace.team.linear(
            head.input,
            [LinearTask(output: head.logits, map: LlamaLinear(weight: weights.head, bias: nil))],
            rows: head.rows.count, isExact: isExact)
    }

    /// Leaves each row's loss where it belongs, and with weights the logits' gradients in their place.
    private func entropies(
        _ head: HeadRows, _ workspace: LlamaWorkspace, lossWeights: FloatView?
    ) {
        let V = configuration.vocabularySize
        workspace.team.overRows(head.rows.count, cost: 32 * V) { part in
            crossEntropy(
                losses: head.losses[part],
                logits: head.logits[part.lowerBound * V..<part.upperBound * V],
                targets: head.targets[part], weights: lossWeights?[part])
        }
        for (place, row) in head.rows.enumerated() { workspace.losses[row] = head.losses[place] }
    }
}

extension LlamaTeam {
    /// The gradients of RMSNorm: `dInput: [R, C]` and, unless nil, `dWeight: [C]`, both added to.
    func normalizeBackward(
        dInput: FloatView, dWeight: FloatView?, dOutput: FloatView, input: FloatView,
        scale: FloatView, weight: FloatView, rows: Int
    ) {
        let width = weight.count
        overRows(rows, cost: 8 * width) { range in
            let numbers = range.lowerBound * width..<range.upperBound * width
            rmsNormInputGradient(
                dInput: dInput[numbers], dOutput: dOutput[numbers], input: input[numbers],
                scale: scale[range], weight: weight, rows: range.count)
        }
        guard let dWeight else { return }
        // Columns are shared out like rows: each is a sum over all rows.
        overRows(width, cost: 2 * rows) { columns in
            rmsNormWeightGradient(
                dWeight: dWeight, dOutput: dOutput, input: input, scale: scale, rows: rows,
                columns: columns)
        }
    }
}

/// Adapters that are trained: parameters, gradients and what is left out of their inputs.
public struct LoRATraining: Sendable {
    /// The factors.
    public let parameters: LlamaLoRA
    /// Their gradients, added to.
    public let gradients: LlamaLoRA
    /// What is left out; nil for nothing, as in an evaluation.
    public let dropout: LoRADropout?

    /// - Parameters:
    ///   - parameters: the factors.
    ///   - gradients: their gradients, added to.
    ///   - dropout: what is left out of their inputs; nil for nothing.
    public init(parameters: LlamaLoRA, gradients: LlamaLoRA, dropout: LoRADropout? = nil) {
        self.parameters = parameters
        self.gradients = gradients
        self.dropout = dropout
    }
}
