import Experiments
import Foundation
import Kernels
import LanguageModeling
import Platform
import TensorStorage
import Tokenizers
import Transformer

/// Adapters as PEFT keeps them: a folder with adapter_config.json and adapter_model.safetensors.
public struct AdapterDirectory: Sendable {
    /// The folder, as given.
    public let path: String
    /// Rank, scale, dropout and targets.
    public let configuration: LoRAConfiguration
    /// The factors, in the layout of `configuration.tensors(llama)`.
    public let parameters: FloatView

    static let configurationFile = "adapter_config.json"
    static let tensorFile = "adapter_model.safetensors"
    /// The key of the file's metadata under which the fingerprint of the base stands.
    private static let baseKey = "base_fingerprint"

    /// Reads the folder at `path`.
    ///
    /// - Parameters:
    ///   - path: the folder.
    ///   - base: the model that the adapters belong to.
    /// - Throws: ``FineTuningError`` with file, value and cure when a setting is not supported, a tensor does not fit the base,
    ///   or the adapters were trained on another one.
    public init(path: String, base: ModelDirectory) throws {
        self.path = path
        let file = "\(path)/\(Self.configurationFile)"
        guard Folder.holdsFile(file) else {
            throw FineTuningError(
                path,
                "holds no \(Self.configurationFile); name a folder with LoRA adapters as PEFT saves them"
            )
        }
        configuration = try AdapterConfigurationReader(path: file).configuration()
        let layout = TensorLayout(configuration.tensors(base.configuration.llama))
        let tensors = try SafetensorsFile(path: "\(path)/\(Self.tensorFile)")
        if let expected = tensors.metadata[Self.baseKey], try base.fingerprint() != expected {
            throw FineTuningError(
                tensors.path,
                "belongs to another base than \(base.path): these adapters were trained on other weights, or "
                    + "under other settings of config.json; name the model that they were trained on"
            )
        }
        for tensor in layout.entries {
            guard let info = tensors[tensor.name], info.shape == tensor.shape else {
                let found = tensors[tensor.name].map { "has the shape \($0.shape)" } ?? "is missing"
                throw FineTuningError(
                    tensors.path,
                    "\(tensor.name) \(found), where \(base.path) needs \(tensor.shape): these adapters belong to another "
                        + "base, or to other targets than \(Self.configurationFile) names")
            }
        }
        if let other = tensors.tensors.first(where: { layout[$0.name] == nil }) {
            throw FineTuningError(
                tensors.path,
                "holds \(other.name), which is no factor of a target that \(Self.configurationFile) names; adapters at "
                    + "other places are not supported")
        }
        parameters = FloatView(zeros: layout.count)
        try tensors.readFloats(into: layout.tensors(in: parameters))
        if let damaged = layout.tensors(in: parameters).first(where: {
            !squaredNorm($0.view).isFinite
        }) {
            throw FineTuningError(
                tensors.path,
                "\(damaged.name) holds numbers that are not finite: the training diverged or the file is damaged; copy it again "
                    + "or train again")
        }
    }

    /// The files that were read.
    public var files: [String] {
        [Self.configurationFile, Self.tensorFile].map { "\(path)/\($0)" }
    }

    /// Names and shapes of the factors, in their order.
    public func layout(of base: ModelDirectory) -> TensorLayout {
        TensorLayout(configuration.tensors(base.configuration.llama))
    }

    /// The factors, as a pass of `base` takes them; nothing is dropped.
    public func adapters(of base: ModelDirectory) -> LlamaLoRA {
        var configuration = configuration
        configuration.dropout = 0
        return LlamaLoRA(configuration, base.configuration.llama, in: parameters)
    }

    /// Writes adapters as PEFT reads them, into an empty folder.
    ///
    /// - Parameters:
    ///   - parameters: the factors.
    ///   - configuration: rank, scale, dropout and targets.
    ///   - base: the model that they belong to.
    ///   - fingerprint: the base's.
    ///   - folder: the folder.
    /// - Throws: when the disk refuses.
    public static func write(
        _ parameters: FloatView, _ configuration: LoRAConfiguration, base: ModelDirectory,
        fingerprint: String, into folder: String
    ) throws {
        let layout = TensorLayout(configuration.tensors(base.configuration.llama))
        try writeSafetensors(
            layout.tensors(in: parameters).map(SafetensorsContent.floats),
            metadata: ["format": "pt", baseKey: fingerprint], to: "\(folder)/\(tensorFile)")
        let targets = LlamaProjection.allCases.filter(configuration.targets.contains)
        let settings: JSONValue = [
            "peft_type": "LORA", "task_type": "CAUSAL_LM",
            "base_model_name_or_path": .string(
                URL(fileURLWithPath: base.path).standardizedFileURL.path),
            "r": .integer(configuration.rank), "lora_alpha": .number(configuration.alpha),
            "lora_dropout": .number(configuration.dropout),
            "target_modules": .array(targets.map { .string($0.rawValue) }), "bias": "none",
            "fan_in_fan_out": false, "inference_mode": true, "init_lora_weights": true,
            "modules_to_save": nil, "use_rslora": false, "use_dora": false,
        ]
        try AtomicFile.write(
            CanonicalJSON.text(of: settings) + "\n", to: "\(folder)/\(configurationFile)")
    }
}

/// Reads an adapter_config.json; what would change the adapters' arithmetic and is not known is refused.
private struct AdapterConfigurationReader {
    private let path: String
    private let settings: JSONValue

    init(path: String) throws {
        self.path = path
        let data = try WholeFile.read(path, maximumBytes: 1 << 20)
        guard let value = try? JSONDecoder().decode(JSONValue.self, from: data),
            case .object = value
        else {
            throw FineTuningError(path, "is no JSON object; copy the adapters' folder again")
        }
        settings = value
    }

    func configuration() throws -> LoRAConfiguration {
        try refuseUnknown()
        guard let rank = settings["r"]?.integerValue, (1...65_536).contains(rank) else {
            throw wrong("r", "a rank from 1 to 65536")
        }
        guard let alpha = settings["lora_alpha"]?.doubleValue, alpha > 0 else {
            throw wrong("lora_alpha", "a number above 0")
        }
        let dropout = settings["lora_dropout"]?.doubleValue ?? 0
        guard (0..<1).contains(dropout) else {
            throw wrong("lora_dropout", "a number from 0, below 1")
        }
        guard let names = settings["target_modules"]?.arrayValue, !names.isEmpty else {
            throw wrong("target_modules", "a list of maps")
        }
        let targets = try names.map { name in
            guard let target = name.stringValue.flatMap(LlamaProjection.init(rawValue:)) else {
                let known = LlamaProjection.allCases.map(\.rawValue)
                throw wrong(
                    "target_modules", "maps among \(known.joined(separator: ", "))",
                    cure: "adapters at other places are not supported")
            }
            return target
        }
        return LoRAConfiguration(
            rank: rank, alpha: alpha, dropout: dropout, targets: Set(targets))
    }

    private func refuseUnknown() throws {
        guard settings["peft_type"]?.stringValue == "LORA" else {
            throw wrong("peft_type", "'LORA'")
        }
        for key in ["use_rslora", "use_dora", "fan_in_fan_out", "lora_bias"]
        where settings[key] == true {
            throw wrong(
                key, "false", cure: "adapters that need it are not supported; train without it")
        }
        if let bias = settings["bias"]?.stringValue, bias != "none" {
            throw wrong(
                "bias", "'none'", cure: "adapters that need it are not supported; train without it")
        }
        for key in ["modules_to_save", "layers_to_transform", "rank_pattern", "alpha_pattern"] {
            switch settings[key] {
            case nil, .null?, .array([])?, .object([:])?: continue
            default:
                throw wrong(
                    key, "nothing",
                    cure: "adapters that need it are not supported; train without it")
            }
        }
    }

    private func wrong(
        _ key: String, _ expected: String, cure: String = "copy the adapters' folder again"
    ) -> FineTuningError {
        let shown = settings[key].map(CanonicalJSON.text(of:)) ?? "missing"
        return FineTuningError(path, "\(key) is \(shown.prefix(80)); expected \(expected): \(cure)")
    }
}
