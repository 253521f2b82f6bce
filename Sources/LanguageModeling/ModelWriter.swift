import Experiments
import Foundation
import Kernels
import Platform
import TensorStorage
import Transformer

/// Writes a Llama as a folder that Hugging Face's ecosystem reads: config.json, safetensors, tokenizer files.
public struct ModelWriter: Sendable {
    /// Files that belong to a model and are handed on from its source as they are.
    public static let carriedFiles = [
        GenerationConfiguration.file, "tokenizer.json", "tokenizer.model", "tokenizer_config.json",
        "special_tokens_map.json", "added_tokens.json", "chat_template.jinja", "vocab.json",
        "merges.txt",
    ]

    /// What config.json is to say.
    public let configuration: LanguageModelConfiguration
    /// The files' names and, as places in the configuration's list of tensors, what each holds.
    let shards: [(file: String, tensors: Range<Int>)]
    private let tensors: [StreamedTensor]

    /// A model to be written.
    ///
    /// - Parameters:
    ///   - configuration: what config.json is to say.
    ///   - storedType: what every tensor is stored as.
    ///   - shardSize: bytes of tensors a file may hold; a larger tensor has a file of its own.
    public init(
        _ configuration: LanguageModelConfiguration, storedAs storedType: StoredElement,
        shardSize: Int = 5_000_000_000
    ) {
        self.configuration = configuration
        tensors = configuration.llama.tensors.map {
            StreamedTensor(name: $0.name, shape: $0.shape, element: storedType)
        }
        shards = Self.shards(tensors.map(\.byteCount), limit: shardSize)
    }

    /// Bytes of all tensors.
    public var byteCount: Int { tensors.reduce(0) { $0 + $1.byteCount } }

    /// Number of files that hold tensors.
    public var fileCount: Int { shards.count }

    /// Writes the folder `path`, which must not exist: whole or not at all.
    ///
    /// - Parameters:
    ///   - path: the folder to create.
    ///   - source: a folder whose ``carriedFiles`` are handed on.
    ///   - pool: who makes and rounds the elements.
    ///   - elements: fills `target` with the fp32 elements `range` of tensor number `tensor` of
    ///     `configuration.llama.tensors`; see `SafetensorsStream.write`.
    ///   - wrote: told how many bytes were written since its last call; what it throws ends the writing.
    /// - Throws: ``LanguageModelError`` when the folder exists or the disk lacks the space, `TensorStorageError` when a
    ///   number does not fit the type, `SystemError` from the disk; nothing is left behind then.
    public func write(
        to path: String, carryingFrom source: String? = nil, pool: WorkerPool,
        elements: @Sendable (_ tensor: Int, _ range: Range<Int>, _ target: FloatView) -> Void,
        wrote: (_ bytes: Int) throws -> Void = { _ in }
    ) throws {
        // Without slashes at its end, so that the unfinished folder stands beside it.
        let parent = Path.parent(of: path)
        let target = parent.isEmpty ? Path.name(of: path) : "\(parent)/\(Path.name(of: path))"
        let carried = try Self.carried(from: source)
        try check(target, shown: path, carriedBytes: carried.reduce(0) { $0 + $1.data.count })
        try AtomicFile.publishFolder(at: target) {
            try fill($0, carried: carried, pool: pool, elements: elements, wrote: wrote)
        }
    }

    private func fill(
        _ folder: String, carried: [(name: String, data: Data)], pool: WorkerPool,
        elements: @Sendable (_ tensor: Int, _ range: Range<Int>, _ target: FloatView) -> Void,
        wrote: (_ bytes: Int) throws -> Void = { _ in }
    ) throws {
        for (name, data) in carried { try AtomicFile.write(data, to: "\(folder)/\(name)") }
        try AtomicFile.write(
            configuration.text(storedAs: tensors[0].element), to: "\(folder)/config.json")
        if shards.count > 1 {
            try AtomicFile.write(indexText, to: "\(folder)/\(TensorIndex.indexFile)")
        }
        for shard in shards {
            let stream = SafetensorsStream(
                path: "\(folder)/\(shard.file)", tensors: Array(tensors[shard.tensors]),
                metadata: ["format": "pt"])
            let first = shard.tensors.lowerBound
            try stream.write(pool: pool, elements: { elements(first + $0, $1, $2) }, wrote: wrote)
        }
    }

    /// Writes `parameters`, a buffer in the configuration's layout, into the empty folder `folder`: what
    /// `AtomicFile.publishFolder` then gives its name.
    ///
    /// - Parameters:
    ///   - folder: an empty folder.
    ///   - parameters: the numbers.
    ///   - source: a folder whose ``carriedFiles`` are handed on.
    ///   - pool: who rounds the elements.
    /// - Throws: as ``write(to:carryingFrom:pool:elements:wrote:)``.
    public func fill(
        _ folder: String, with parameters: FloatView, carryingFrom source: String?,
        pool: WorkerPool
    ) throws {
        let views = configuration.llama.layout.tensors(in: parameters).map(\.view)
        try fill(
            folder, carried: try Self.carried(from: source), pool: pool,
            elements: { tensor, range, target in target.copy(from: views[tensor][range]) })
    }

    /// Writes the folder `path` with `parameters`, a buffer in the configuration's layout; see
    /// ``write(to:carryingFrom:pool:elements:wrote:)``.
    public func write(
        _ parameters: FloatView, to path: String, carryingFrom source: String? = nil,
        pool: WorkerPool
    ) throws {
        let layout = configuration.llama.layout
        precondition(
            parameters.count == layout.count,
            "\(parameters.count) numbers for a layout of \(layout.count)")
        let views = layout.tensors(in: parameters).map(\.view)
        try write(
            to: path, carryingFrom: source, pool: pool,
            elements: { tensor, range, target in target.copy(from: views[tensor][range]) })
    }

    // MARK: Parts

    /// As transformers cuts a model: a file is full when the next tensor would pass the limit.
    private static func shards(
        _ sizes: [Int], limit: Int
    ) -> [(file: String, tensors: Range<Int>)] {
        var ranges: [Range<Int>] = []
        var start = 0
        var size = 0
        for (index, bytes) in sizes.enumerated() {
            if index > start, size + bytes > limit {
                ranges.append(start..<index)
                (start, size) = (index, 0)
            }
            size += bytes
        }
        ranges.append(start..<sizes.count)
        guard ranges.count > 1 else { return [(TensorIndex.singleFile, ranges[0])] }
        func digits(_ number: Int) -> String {
            let text = String(number)
            return String(repeating: "0", count: max(0, 5 - text.count)) + text
        }
        return ranges.enumerated().map { index, range in
            ("model-\(digits(index + 1))-of-\(digits(ranges.count)).safetensors", range)
        }
    }

    private var indexText: String {
        var lines: [String] = []
        for shard in shards {
            for tensor in tensors[shard.tensors] {
                let name = CanonicalJSON.text(of: .string(tensor.name))
                lines.append("    \(name): \"\(shard.file)\"")
            }
        }
        return """
            {
              "metadata": {
                "total_parameters": \(configuration.llama.parameterCount),
                "total_size": \(byteCount)
              },
              "weight_map": {
            \(lines.joined(separator: ",\n"))
              }
            }

            """
    }

    private static func carried(from source: String?) throws -> [(name: String, data: Data)] {
        guard let source else { return [] }
        return try carriedFiles.filter { Folder.holdsFile("\(source)/\($0)") }.map {
            ($0, try WholeFile.read("\(source)/\($0)"))
        }
    }

    private func check(_ target: String, shown path: String, carriedBytes: Int) throws {
        if Folder.isLink(target) || FileManager.default.fileExists(atPath: target) {
            throw LanguageModelError(
                path: path, "exists already; name another folder or remove it.")
        }
        let parent = Path.parent(of: target)
        let place = parent.isEmpty ? "." : parent
        // A missing parent is reported by the attempt to create the folder.
        guard Folder.isFolder(place) else { return }
        let headers = 256 * tensors.count + (1 << 16)
        let needed = byteCount + carriedBytes + headers
        let free = try MemoryStatistics.freeDisk(at: place)
        guard needed <= free else {
            throw LanguageModelError(
                path: path,
                "the model takes \(byteText(needed)), and the disk has \(byteText(free)) free; free some space or name a "
                    + "folder on another disk.")
        }
    }
}

/// A number of bytes for people: `13.5 GB (13476839424 bytes)`.
private func byteText(_ count: Int) -> String {
    let (size, unit) = count < 1_000_000_000 ? (1e6, "MB") : (1e9, "GB")
    return String(format: "%.1f ", Double(count) / size) + "\(unit) (\(count) bytes)"
}
