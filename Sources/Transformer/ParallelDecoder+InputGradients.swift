import Kernels

extension ParallelDecoder {
    /// `∂p_b / ∂tokens_b` of one prediction in each sequence b: what gradient alignment compares with ∇g.
    ///
    /// - Parameters:
    ///   - weights: the parameters.
    ///   - batch: B and T.
    ///   - position: t < T, the position of the prediction; the gradient is 0 at later tokens.
    ///   - filling: writes the examples; their loss weights are not used.
    ///   - read: takes `workspace.dInputs: [B, T, d]` and `workspace.predictions: [B, T]`, made at `position` alone, of one
    ///     shard; called on the workers.
    /// - Precondition: this parallel decoder was made for training.
    public func inputGradients(
        weights: DecoderWeights, batch: BatchShape, position: Int, filling: some BatchFilling,
        read: @Sendable (_ examples: Range<Int>, _ workspace: DecoderWorkspace) -> Void
    ) {
        precondition(!laneGradients.isEmpty, "this parallel decoder was made without gradients")
        precondition((0..<batch.length).contains(position), "no position \(position)")
        let plan = ShardPlan(examples: batch.examples, length: batch.length)
        let weights = packed(weights)
        pool.run(parts: plan.shardCount) { shard, worker in
            let workspace = workspaces[worker]
            let examples = plan.examples(ofShard: shard)
            let shape = BatchShape(examples: examples.count, length: batch.length)
            workspace.positionStarts.fill(0)
            filling.fill(examples, workspace)
            workspace.lossWeights[0..<shape.rows].fill(0)
            workspace.dPredictions[0..<shape.rows].fill(0)
            for row in stride(from: position, to: shape.rows, by: batch.length) {
                workspace.lossWeights[row] = 1
                workspace.dPredictions[row] = 1
            }
            decoder.forward(
                weights: weights, workspace: workspace, shape: shape, predicting: .carryingLoss)
            // The parameters' gradients are of no use here: they go where the next step clears them.
            decoder.backward(
                weights: weights, gradients: laneGradients[worker], workspace: workspace,
                shape: shape, inputGradients: true)
            read(examples, workspace)
        }
    }
}
