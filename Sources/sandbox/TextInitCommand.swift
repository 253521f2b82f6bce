import ArgumentParser
import Experiments
import Foundation
import Kernels
import LanguageModeling
import Platform

/// `sandbox text init`: a Llama with random weights.
struct TextInitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Make a Llama with random weights from a config.json.",
        discussion: """
            Writes a folder that Hugging Face's transformers loads: config.json and safetensors, in shards where they are \
            larger than --shard-size. Matrices are normal with the deviation `initializer_range` of the file (0.02 when it \
            has none), norms 1, biases 0. The same seed gives the same files. Tokenizer files and generation_config.json \
            beside the config.json are copied, if a model of this size can use them.

            Examples:
              sandbox text init --config config.json --output model
              sandbox text init --config 7b --output model --dtype bf16 --shard-size 2GB

            Exit status: 0 written, 1 a file that cannot be used or a full disk, 64 a usage error, 75 interrupted, \
            nothing is left then.
            """)

    @Option(
        help: ArgumentHelp(
            "A Llama's config.json, or the folder that holds it.", valueName: "path"))
    var config: String

    @Option(help: "The folder to write; it must not exist.")
    var output: String

    @Option(
        help: ArgumentHelp(
            "What the weights are stored as: f32, f16 or bf16, or transformers' name of it; what the config.json says when "
                + "left out, or f32.", valueName: "type"))
    var dtype: StoredType?

    @Option(help: "The largest file, such as 5GB, 500MB, 2GiB or a number of bytes.")
    var shardSize = ByteSize(bytes: 5_000_000_000)

    @Option(help: "The seed of the weights.")
    var seed: UInt64 = 0

    @Flag(help: "No progress.")
    var quiet = false

    func run() throws {
        InterruptFlag.install()
        try reportingErrors {
            let isFolder = Folder.isFolder(config)
            let file = isFolder ? "\(config)/config.json" : config
            let folder = isFolder ? config : Path.parent(of: config)
            let model = try LanguageModelConfiguration(path: file)
            let storedType = try self.storedType(model, file)
            let source = folder.isEmpty ? "." : folder
            try ModelCompanions.check(in: source, for: model, source: file)
            let writer = ModelWriter(model, storedAs: storedType, shardSize: shardSize.bytes)
            try write(writer, carryingFrom: source)
            let files = writer.fileCount == 1 ? "1 file" : "\(writer.fileCount) files"
            try Terminal.print(
                "wrote \(output): \(model.llama.parameterCount) parameters, \(storedType), \(files), "
                    + "\(writer.byteCount) bytes\n")
        }
    }

    private func storedType(
        _ model: LanguageModelConfiguration, _ file: String
    ) throws -> StoredElement {
        if let type = dtype?.element ?? model.storedType { return type }
        guard let stated = model.statedType else { return .float32 }
        throw LanguageModelError(
            path: file,
            "its dtype is '\(stated)', which cannot be written; give --dtype f32, f16 or bf16.")
    }

    private func write(_ writer: ModelWriter, carryingFrom folder: String) throws {
        let fresh = FreshParameters(writer.configuration, seed: seed)
        let isShown = !quiet && Terminal.isTerminal(.error)
        var progress = ProgressLine(
            label: "writing \(output)", total: writer.byteCount / 1_000_000, unit: "MB",
            style: .automatic(isQuiet: !isShown))
        defer { progress.finish() }
        var written = 0
        try writer.write(
            to: output, carryingFrom: folder,
            pool: WorkerPool(workers: CPU.current().coreCount),
            elements: { fresh.fill(tensor: $0, range: $1, target: $2) },
            wrote: { bytes in
                written += bytes
                progress.update(step: written / 1_000_000)
                guard InterruptFlag.isRaised else { return }
                progress.finish()
                Terminal.write("interrupted; nothing is left behind\n", to: .error)
                throw ExitCode(InterruptFlag.exitStatus)
            })
    }
}

/// A type of stored weights by its short name or by transformers'.
struct StoredType: ExpressibleByArgument {
    /// The type itself.
    let element: StoredElement

    private static let shortNames: [String: StoredElement] = [
        "f32": .float32, "f16": .float16, "bf16": .bfloat16,
    ]

    init?(argument: String) {
        guard let element = Self.shortNames[argument] ?? StoredElement(rawValue: argument) else {
            return nil
        }
        self.element = element
    }
}

/// A size such as 5GB (10⁹ bytes each), 2GiB (2³⁰) or 4096.
struct ByteSize: ExpressibleByArgument {
    /// The size, 1 or more.
    let bytes: Int

    private static let units = [
        "": 1, "B": 1, "KB": 1000, "MB": 1_000_000, "GB": 1_000_000_000, "TB": 1_000_000_000_000,
        "KIB": 1 << 10, "MIB": 1 << 20, "GIB": 1 << 30, "TIB": 1 << 40,
    ]

    /// A size in bytes.
    init(bytes: Int) { self.bytes = bytes }

    init?(argument: String) {
        let digits = argument.prefix { $0.isASCII && $0.isNumber || $0 == "." }
        let unit = argument.dropFirst(digits.count).trimmingCharacters(in: .whitespaces)
        guard let number = Double(digits), let factor = Self.units[unit.uppercased()],
            let bytes = Int(exactly: (number * Double(factor)).rounded()), bytes >= 1
        else { return nil }
        self.bytes = bytes
    }

    /// The size as 5GB where it is whole, else in bytes.
    var defaultValueDescription: String {
        let unit = ["TB", "GB", "MB", "KB"].first { bytes % (Self.units[$0] ?? 1) == 0 }
        return unit.map { "\(bytes / (Self.units[$0] ?? 1))\($0)" } ?? "\(bytes)"
    }
}
