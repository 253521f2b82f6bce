import Kernels

extension ParallelDecoder {
    /// `∂p_b / ∂tokens_b` of one prediction in each sequence b: what gradient alignment compares with ∇g.
    ///
    /// - Parameters:
    ///   - weights: the parameters.
    ///   - batch: B and T.
    ///   - position: t < T, the position of the prediction; the gradient is 0 at later tokens.
    ///   - filling: writes the examples; their loss weights are not used.
    ///   - goesOn: asked before each shard; after a false the rest is left out.
    ///   - read: takes `workspace.dInputs: [B, T, d]` and `workspace.predictions: [B, T]`, made at `position` alone, of one
    ///     shard; called on the workers.
    /// - Precondition: this parallel decoder was made for training.
    public func inputGradients(
        weights: DecoderWeights, batch: BatchShape, position: Int, filling: some BatchFilling,
        goesOn: @Sendable () -> Bool = { true },
        read: @Sendable (_ examples: Range<Int>, _ workspace: DecoderWorkspace) -> Void
    ) {
        precondition((0..<batch.length).contains(position), "no position \(position)")
        gradients(
            weights: weights, batch: batch, filling: filling, keys: .all, goesOn: goesOn,
            prepare: { workspace, rows in
                workspace.lossWeights[0..<rows].fill(0)
                for row in stride(from: position, to: rows, by: batch.length) {
                    workspace.lossWeights[row] = 1
                }
            }, read: read)
    }

    /// `∂p_t / ∂token_t` at every position t of each sequence whose loss weight is not 0, from one backward pass: an
    /// output depends on its own position's token through that position alone.
    ///
    /// - Parameters:
    ///   - weights: the parameters.
    ///   - batch: B and T.
    ///   - filling: writes the examples; their loss weights say where predictions are made.
    ///   - goesOn: asked before each shard; after a false the rest is left out.
    ///   - read: takes `workspace.dInputs: [B, T, d]` and `workspace.predictions: [B, T]` of one shard; called on the
    ///     workers.
    /// - Precondition: this parallel decoder was made for training.
    public func tokenGradients(
        weights: DecoderWeights, batch: BatchShape, filling: some BatchFilling,
        goesOn: @Sendable () -> Bool = { true },
        read: @Sendable (_ examples: Range<Int>, _ workspace: DecoderWorkspace) -> Void
    ) {
        gradients(
            weights: weights, batch: batch, filling: filling, keys: .own, goesOn: goesOn,
            prepare: { _, _ in }, read: read)
    }

    /// Gradients by the tokens of the sum of the predictions that `prepare` leaves weights for.
    private func gradients(
        weights: DecoderWeights, batch: BatchShape, filling: some BatchFilling,
        keys: AttentionKeys, goesOn: @Sendable () -> Bool,
        prepare: @Sendable (_ workspace: DecoderWorkspace, _ rows: Int) -> Void,
        read: @Sendable (_ examples: Range<Int>, _ workspace: DecoderWorkspace) -> Void
    ) {
        precondition(!laneGradients.isEmpty, "this parallel decoder was made without gradients")
        let plan = ShardPlan(examples: batch.examples, length: batch.length)
        let weights = packed(weights)
        pool.run(parts: plan.shardCount) { shard, worker in
            guard goesOn() else { return }
            let workspace = workspaces[worker]
            let examples = plan.examples(ofShard: shard)
            let shape = BatchShape(examples: examples.count, length: batch.length)
            workspace.positionStarts.fill(0)
            filling.fill(examples, workspace)
            prepare(workspace, shape.rows)
            for row in 0..<shape.rows {
                workspace.dPredictions[row] = workspace.lossWeights[row] == 0 ? 0 : 1
            }
            decoder.forward(
                weights: weights, workspace: workspace, shape: shape, predicting: .carryingLoss)
            // The parameters' gradients are of no use here: they go where the next step clears them.
            decoder.backward(
                weights: weights, gradients: laneGradients[worker], workspace: workspace,
                shape: shape, inputGradients: true, keys: keys)
            read(examples, workspace)
        }
    }
}
