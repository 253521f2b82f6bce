import Randomness

/// Predicts with a two-layer network that is trained afresh on the k pairs, and 0 at k = 0.
///
/// y = W₂ max(W₁x + b₁, 0) + b₂ with 100 hidden units, W₁, b₁ uniform on ±1/√d and W₂, b₂ on ±1/√100, after 100 steps
/// of Adam (learning rate 5·10⁻³, β 0.9 and 0.999, ε 10⁻⁸) on the mean squared error of all k pairs. Source: Garg et al.
/// (2022), appendix A.3; the settings are those of `GDModel` for `relu_2nn_regression` in its public code, which
/// trains the networks of a batch of prompts on the mean of their losses: a factor that Adam divides out but for ε.
///
/// The initial parameters are numbers of the stream ``RandomStream/initialization`` at step k, under a seed that is
/// made of the bits of the prompt's first input: a prompt has its own networks, the same wherever it is evaluated.
public struct TrainedNetwork: Baseline {
    /// The name in configurations, files and plots.
    public let name = "two_layer_network"
    /// True: each prediction is a training run.
    public let isSlow = true
    let hidden: Int
    let steps: Int

    /// The baseline has no settings.
    public init() { self.init(hidden: 100, steps: 100) }

    /// A network of another size, trained for longer or shorter.
    init(hidden: Int, steps: Int) {
        self.hidden = hidden
        self.steps = steps
    }

    /// Predictions of one network for every k.
    public func predict(
        inputs: Span<Float>, labels: Span<Float>, queries: Span<Float>,
        into predictions: inout MutableSpan<Double>
    ) {
        let dims = inputs.count / labels.count
        let seed = Self.seed(inputs.extracting(first: dims))
        var network = TwoLayerNetwork(dims: dims, hidden: hidden, examples: labels.count)
        for k in 0..<labels.count {
            if k == 0 {
                predictions[k] = 0
            } else {
                let row = (k - 1) * dims..<k * dims
                network.add(inputs.extracting(row), label: Double(labels[k - 1]))
                network.initialize(RandomKey(seed: seed, stream: .initialization, step: k))
                network.train(steps: steps)
                predictions[k] = network.predict(
                    at: queries.extracting(k * dims..<(k + 1) * dims))
            }
        }
    }

    /// The seed of a prompt's networks: the bits of its first input by FNV-1a, a word at a time.
    static func seed(_ firstInput: Span<Float>) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for index in 0..<firstInput.count {
            hash = (hash ^ UInt64(firstInput[index].bitPattern)) &* 0x100_0000_01B3
        }
        return hash
    }
}
