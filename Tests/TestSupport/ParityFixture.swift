import Foundation
import TensorStorage

/// Hugging Face's GPT2Model in the public wrapper on one random batch: what the engine must reproduce.
///
/// Tensors: `inputs` [B, T, d], `targets` [B, n], `param.<name>`; expected `predictions` [B, ⌈T/2⌉],
/// `loss` [1] (mean squared error of the last n predictions), `grad.<name>`, `grad.inputs`,
/// `adam_losses` [10], `adam.<name>`, `adamw_losses` [10], `adamw_norms` [10], `adamw.<name>`.
/// Tests/Fixtures/make_parity.py says how each was computed, manifest.json how exactly it must be met.
public struct ParityFixture: Sendable, CustomStringConvertible {
    /// The model's and the batch's shape, under the public configuration's names.
    public struct Shape: Decodable, Sendable {
        /// Input dimension d.
        public let n_dims: Int
        /// Channels C.
        public let n_embd: Int
        /// Blocks.
        public let n_layer: Int
        /// Heads H.
        public let n_head: Int
        /// Half the rows of the position embedding.
        public let n_positions: Int
        /// Position of the first token.
        public let position_offset: Int
        /// Sequences B.
        public let batch: Int
        /// Tokens T.
        public let positions: Int
        /// Targets n of a sequence.
        public let targets: Int
    }

    /// The quantities that have a tolerance of their own in manifest.json.
    public enum Quantity: String, Sendable {
        /// `predictions`.
        case predictions
        /// `loss`.
        case loss
        /// `grad.<name>` and `grad.inputs`.
        case gradients
        /// `adam_losses`, `adamw_losses` and `adamw_norms`.
        case losses
        /// `adam.<name>` and `adamw.<name>`.
        case parameters
        /// The factors of schedules.json.
        case schedules
    }

    /// The names of all parity files.
    public static let names = [
        "even", "odd", "second-half", "shifted", "one-head", "single", "long",
    ]

    /// The fixture's name.
    public let name: String
    /// The shapes.
    public let shape: Shape
    /// The tensors.
    public let file: SafetensorsFile

    /// Opens the fixture `name`, one of ``names``.
    public init(_ name: String) throws {
        self.name = name
        file = try Fixture.tensors("parity/\(name).safetensors")
        shape = try JSONDecoder().decode(
            Shape.self, from: Data((file.metadata["case"] ?? "").utf8))
    }

    /// The fixture's name.
    public var description: String { name }

    /// The model's parameters by state-dict name, in the file's order.
    public var parameters: [TensorInfo] { file.tensors.filter { $0.name.hasPrefix("param.") } }

    /// The allowed error of `quantity` relative to the largest expected magnitude, from manifest.json.
    public static func tolerance(_ quantity: Quantity) throws -> Double {
        struct Manifest: Decodable {
            struct Tolerance: Decodable { let relative: Double }
            let tolerances: [String: Tolerance]
        }
        let manifest = try Fixture.json("manifest.json", as: Manifest.self)
        guard let tolerance = manifest.tolerances[quantity.rawValue] else {
            throw TensorStorageError(
                path: Fixture.path("manifest.json"), "lacks a tolerance for \(quantity.rawValue).")
        }
        return tolerance.relative
    }

    /// Compares `actual` with the fixture's tensor `tensor` under the tolerance of `quantity`.
    public func closeness(
        of actual: [Float], to tensor: String, _ quantity: Quantity
    ) throws -> Closeness {
        TestSupport.closeness(
            actual, try file.floats(tensor), relative: try Self.tolerance(quantity),
            scale: .largest)
    }
}
