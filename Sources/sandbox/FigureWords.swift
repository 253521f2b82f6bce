import InContextRegression

/// How pictures and reports call things.
enum FigureWords {
    /// A class with its formula, f(x) = w·x being the base function.
    static func title(ofClass name: String) -> String {
        switch name {
        case "linear": "Linear g = f = w·x"
        case "polynomial": "Polynomial g = f + f²"
        case "multilinear": "Multilinear g = f + w₂·x"
        case "relu": "ReLU g = max(f, 0)"
        case "sigmoid": "Sigmoid g = σ(f)"
        case "tanh": "Hyperbolic tangent g = tanh f"
        case "proddot": "Product g = f·(w₂·x)"
        case "sparse_linear": "Sparse linear g = w·x, three wᵢ ≠ 0"
        case "noisy_linear": "Noisy linear y = w·x + ε"
        case "quadratic": "Quadratic g = Σ wᵢ xᵢ² / √3"
        case "two_layer_relu": "Two-layer ReLU network"
        case "decision_tree": "Decision tree"
        default: name
        }
    }

    /// A baseline in words.
    static func baseline(_ name: String) -> String {
        switch name {
        case "zero": "predicting zero"
        case "least_squares": "least squares on g"
        default: name.replacing("_", with: " ")
        }
    }

    /// What a prompt of a layout looks like, f being the base function and g the composed one.
    static func layout(_ layout: PromptLayout) -> String {
        let prompt = "x₁ g₁ x₂ g₂ … xₙ gₙ"
        switch layout {
        case .cpt: return prompt + ": composed examples alone"
        case .cft:
            return
                "x₁ f₁ … xₙ fₙ, then \(prompt): the prefix shows f at every point, the query included"
        case .negCFT:
            return "x₁ r₁ … xₙ rₙ, then \(prompt): as long as cft, with labels r that mean nothing"
        case .shuffledCFT: return "as cft, with the labels f in the wrong places"
        case .disjointCFT: return "as cft, the prefix showing f at other points"
        case .shiftedCPT: return "as cpt, at the positions where these examples stand under cft"
        case .noQueryCFT:
            return
                "x₁ f₁ … xₖ fₖ, then x₁ g₁ … xₖ gₖ and the query: f at the examples, not at the query"
        default: return "as cft, with a prefix of fewer points"
        }
    }

    /// Steps at which runs left the plateau: `190`, `190–240`, `never`, `190–240 (2 of 5 never)`; of runs below it from
    /// the first record on `at once`.
    ///
    /// - Parameters:
    ///   - steps: the steps, nil of a run that never did.
    ///   - earliest: the end of the first whole window of records.
    static func escape(_ steps: [Int?], earliest: Int) -> String {
        let left = steps.compactMap { $0 }
        guard let first = left.min(), let last = left.max() else { return "never" }
        if left.count == steps.count && last <= earliest { return "at once" }
        let never = steps.count - left.count
        return (first == last ? "\(first)" : "\(first)–\(last)")
            + (never == 0 ? "" : " (\(never) of \(steps.count) never)")
    }

    /// A distribution of prompts in words.
    static func distribution(_ distribution: PromptDistribution) -> String {
        switch distribution {
        case .standard: "as in training"
        case .randomQuadrants: "examples in one orthant"
        case .oppositeQuadrants: "query in the opposite orthant"
        case .orthogonalQueries: "query orthogonal to examples"
        case .overlappingQueries: "query is one of the examples"
        case .halfSubspace: "inputs in half the dimensions"
        case .skewed: "skewed inputs"
        case .scaledInputs(let scale): "inputs × \(number(scale))"
        case .scaledLabels(let scale): "labels × \(number(scale))"
        case .noisyLabels: "noisy labels"
        }
    }

    private static func number(_ value: Double) -> String {
        value == value.rounded() ? String(Int(value)) : String(value)
    }

    /// `3 seeds`, `1 seed`.
    static func count(_ number: Int, _ noun: String) -> String {
        "\(number) \(noun)\(number == 1 ? "" : "s")"
    }
}
