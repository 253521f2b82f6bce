import Tokenizers

/// Tokens and whether each carries loss, for a person who checks what is trained on.
public enum MaskListing {
    /// The examples as text: a line with place, tokens and targets before each, then its tokens.
    ///
    /// - Parameters:
    ///   - examples: what is shown.
    ///   - tokenizer: made their tokens.
    ///   - colored: for a terminal, running text with targets bold and green and the rest dim; otherwise a table with a
    ///     line for each token: position, id, loss weight, piece, and the text that it completes.
    public static func text(
        of examples: [TrainingExample], tokenizer: Tokenizer, colored: Bool
    ) -> String {
        examples.map { example in
            let targets = example.lossWeights.count { $0 > 0 }
            let header =
                "\(escaped(example.place)): \(example.tokens.count) tokens, \(targets) targets\n"
            let texts = texts(of: example, tokenizer)
            return header
                + (colored ? running(example, texts) : table(example, texts, tokenizer))
        }.joined(separator: "\n")
    }

    /// What each token completes: a character of several tokens comes with its last.
    private static func texts(of example: TrainingExample, _ tokenizer: Tokenizer) -> [String] {
        var stream = tokenizer.makeStreamingDecoder(skippingSpecialTokens: false)
        var texts = example.tokens.map { stream.append(Int($0)) }
        texts[texts.count - 1] += stream.finish()
        return texts
    }

    private static func table(
        _ example: TrainingExample, _ texts: [String], _ tokenizer: Tokenizer
    ) -> String {
        var rows = ["position\tid\tweight\tpiece\ttext\n"]
        for (position, id) in example.tokens.enumerated() {
            let piece = escaped(tokenizer.piece(Int(id)) ?? "")
            let weight = example.lossWeights[position]
            let shown = weight == weight.rounded() ? String(Int(weight)) : String(weight)
            rows.append("\(position)\t\(id)\t\(shown)\t\(piece)\t\(escaped(texts[position]))\n")
        }
        return rows.joined()
    }

    private static func running(_ example: TrainingExample, _ texts: [String]) -> String {
        var result = ""
        var wasTarget: Bool?
        for (text, weight) in zip(texts, example.lossWeights) {
            let isTarget = weight > 0
            if isTarget != wasTarget { result += "\u{1B}[0m" + (isTarget ? trained : masked) }
            wasTarget = isTarget
            // A document's own control characters must not steer the terminal.
            result += text.split(separator: "\n", omittingEmptySubsequences: false)
                .map { escaped(String($0)) }.joined(separator: "\n")
        }
        return result + "\u{1B}[0m\n"
    }

    private static let trained = "\u{1B}[1;32m"
    private static let masked = "\u{1B}[2m"

    /// `text` with control characters written as `\n`, `\t`, `\u{1B}`.
    private static func escaped(_ text: String) -> String {
        text.unicodeScalars.map { scalar in
            let isControl = scalar.properties.generalCategory == .control
            return isControl ? scalar.escaped(asASCII: false) : String(scalar)
        }.joined()
    }
}
