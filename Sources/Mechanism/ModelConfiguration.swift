import Experiments
import Platform
import Transformer

/// The section `model:` with the public code's names.
public struct ModelConfiguration: Encodable, Sendable, Hashable {
    /// `gpt2`, the one family of the synthetic side.
    public var family: String
    /// d.
    public var inputDimension: Int
    /// Points a prompt may have; the position table has two rows for each.
    public var positionCount: Int
    /// C.
    public var embeddingDimension: Int
    /// L.
    public var layerCount: Int
    /// H.
    public var headCount: Int

    enum CodingKeys: String, CodingKey {
        case family
        case inputDimension = "n_dims"
        case positionCount = "n_positions"
        case embeddingDimension = "n_embd"
        case layerCount = "n_layer"
        case headCount = "n_head"
    }

    /// Reads the section.
    ///
    /// - Parameter reader: the mapping under `model`.
    /// - Throws: `ConfigurationError` for a missing or impossible value.
    public init(_ reader: ConfigurationReader) throws {
        family = try reader.choice("family", default: "gpt2", among: ["gpt2"])
        inputDimension = try reader.integer("n_dims", in: 1...4096)
        positionCount = try reader.integer("n_positions", in: 1...1_000_000)
        embeddingDimension = try reader.integer("n_embd", in: 1...65_536)
        layerCount = try reader.integer("n_layer", in: 1...1_000)
        headCount = try reader.integer("n_head", in: 1...65_536)
        if embeddingDimension % headCount != 0 {
            throw reader.error(
                "n_embd",
                "is \(embeddingDimension), not a multiple of n_head = \(headCount); "
                    + "choose n_embd = n_head × head size", concerning: ["n_embd", "n_head"])
        }
        try refuseBeyondMemory(reader)
    }

    /// Refuses sizes whose parameters, gradients and moments cannot be held, before they end the program.
    private func refuseBeyondMemory(_ reader: ConfigurationReader) throws {
        let width = Double(embeddingDimension)
        let parameters =
            Double(layerCount) * 12 * width * width
            + Double(2 * positionCount + inputDimension) * width
        let needed = parameters * Double(4 * MemoryLayout<Float>.size)
        let present = Double(MemoryStatistics.current().totalBytes)
        if needed > present {
            func gibibytes(_ bytes: Double) -> String {
                "\(Int((bytes / 0x1p30).rounded(.up))) GiB"
            }
            throw reader.error(
                "n_embd",
                "is \(embeddingDimension): with n_layer = \(layerCount) and n_positions = \(positionCount) weights, "
                    + "gradients and moments take \(gibibytes(needed)) and this machine has \(gibibytes(present)); "
                    + "lower n_embd, n_layer or n_positions",
                concerning: ["n_embd", "n_layer", "n_positions"])
        }
    }

    /// The decoder of these sizes.
    public var decoder: Decoder {
        Decoder(
            DecoderConfiguration(
                inputDimension: inputDimension, positionCount: 2 * positionCount,
                embeddingDimension: embeddingDimension, layerCount: layerCount,
                headCount: headCount))
    }

    /// The first size in which two models differ; nil when they agree.
    func firstDifference(
        from other: ModelConfiguration
    ) -> (key: String, own: Int, other: Int)? {
        let sizes: [(CodingKeys, KeyPath<ModelConfiguration, Int>)] = [
            (.inputDimension, \.inputDimension), (.positionCount, \.positionCount),
            (.embeddingDimension, \.embeddingDimension), (.layerCount, \.layerCount),
            (.headCount, \.headCount),
        ]
        return sizes.first { self[keyPath: $0.1] != other[keyPath: $0.1] }
            .map { ($0.0.rawValue, self[keyPath: $0.1], other[keyPath: $0.1]) }
    }

    /// `6 layers, 4 heads, width 128, d = 10`: a short description for tables.
    public var summary: String {
        "\(layerCount) layers, \(headCount) heads, width \(embeddingDimension), d = \(inputDimension)"
    }
}
