import Foundation
import Platform
import TensorStorage
import Tokenizers

/// The tensors of a model's folder, wherever their files lie: one model.safetensors, or shards under an index.
struct TensorIndex: Sendable {
    /// The file of a model that is not cut into shards.
    static let singleFile = "model.safetensors"
    /// The file that says which tensor lies in which shard.
    static let indexFile = "model.safetensors.index.json"

    private static let maximumBytes = 1 << 27

    private let folder: String
    /// The file that holds each tensor.
    private let places: [String: SafetensorsFile]

    /// Maps the files of `folder`; one model.safetensors is taken before an index, as transformers does.
    ///
    /// - Throws: ``LanguageModelError`` when files are missing or contradict the index; `TensorStorageError` about a
    ///   damaged file.
    init(folder: String) throws {
        self.folder = folder
        if Folder.holdsFile("\(folder)/\(Self.singleFile)") {
            let file = try SafetensorsFile(path: "\(folder)/\(Self.singleFile)")
            places = Dictionary(
                file.tensors.map { ($0.name, file) }, uniquingKeysWith: { first, _ in first })
            files = [file.path]
        } else if Folder.holdsFile("\(folder)/\(Self.indexFile)") {
            let path = "\(folder)/\(Self.indexFile)"
            let bytes = [UInt8](try WholeFile.read(path, maximumBytes: Self.maximumBytes))
            let shards = try Self.shards(json: bytes, source: path)
            places = try Self.open(shards, folder: folder, index: path)
            files = [path] + Set(shards.values).sorted().map { "\(folder)/\($0)" }
        } else {
            throw LanguageModelError(path: folder, try Self.cure(for: folder))
        }
    }

    /// The files that the folder's tensors are read from, the index among them.
    let files: [String]

    /// All names of tensors.
    var names: some Collection<String> { places.keys }

    /// The file that holds tensor `name`.
    ///
    /// - Throws: ``LanguageModelError`` when there is none, with the key of config.json that asks for the tensor.
    func file(of name: String) throws(LanguageModelError) -> SafetensorsFile {
        if let file = places[name] { return file }
        let key = ConfigurationKey.requiring(name).map { " (\($0))" } ?? ""
        throw LanguageModelError(
            path: folder,
            "lacks tensor \(quoted(name)), which its config.json\(key) asks for; one of the two belongs to another model "
                + "or is cut off.")
    }

    // MARK: The index

    /// The shard of each tensor, as the bytes of an index say.
    ///
    /// - Parameter source: what errors name as the file.
    static func shards(
        json bytes: [UInt8], source: String
    ) throws(LanguageModelError) -> [String: String] {
        do throws(FileProblem) {
            var shards: [String: String] = [:]
            for (name, node) in try JSONNode(parsing: bytes).required("weight_map").entries() {
                let file = try node.string()
                // A name that leads out of the folder would let a downloaded model open any file.
                let isPlain = !file.isEmpty && !file.contains("/") && !file.utf8.contains(0)
                guard isPlain, file != ".", file != ".." else {
                    throw FileProblem(
                        "weight_map puts tensor \(quoted(name)) into \(quoted(file)), where the name of a file in the "
                            + "same folder is expected.")
                }
                shards[name] = file
            }
            guard !shards.isEmpty else {
                throw FileProblem("weight_map names no tensor; copy the file of the model again.")
            }
            return shards
        } catch let problem {
            throw LanguageModelError(path: source, problem.text)
        }
    }

    /// Maps the shards and compares what they hold with the index.
    private static func open(
        _ shards: [String: String], folder: String, index: String
    ) throws -> [String: SafetensorsFile] {
        let names = Set(shards.values).sorted()
        let missing = names.filter { !Folder.holdsFile("\(folder)/\($0)") }
        guard missing.isEmpty else {
            throw LanguageModelError(
                path: index,
                "names \(quotedList(missing)), missing in the folder; copy all \(names.count) shards into it."
            )
        }
        var places: [String: SafetensorsFile] = [:]
        for name in names {
            let file = try SafetensorsFile(path: "\(folder)/\(name)")
            for tensor in file.tensors.map(\.name) {
                if let other = places[tensor] {
                    throw LanguageModelError(
                        path: file.path,
                        "holds tensor \(quoted(tensor)), and so does \(quoted(Path.name(of: other.path))); each belongs into "
                            + "one shard.")
                }
                guard shards[tensor] == name else {
                    let place = shards[tensor].map { "puts it into \(quoted($0))" }
                    throw LanguageModelError(
                        path: file.path,
                        "holds tensor \(quoted(tensor)), but \(indexFile) \(place ?? "does not name it"); the files belong to "
                            + "different models or are mixed up.")
                }
                places[tensor] = file
            }
        }
        if let lost = shards.keys.filter({ places[$0] == nil }).min() {
            throw LanguageModelError(
                path: "\(folder)/\(shards[lost] ?? "")",
                "lacks tensor \(quoted(lost)), which \(indexFile) puts into it; the files belong to different models or are "
                    + "mixed up.")
        }
        return places
    }

    /// Why `folder` has no tensors that can be read.
    private static func cure(for folder: String) throws -> String {
        let names = try Folder.contents(of: folder)
        if let shard = names.first(where: { $0.hasSuffix(".safetensors") }) {
            return
                "holds \(quoted(shard)) but neither \(singleFile) nor \(indexFile); copy the whole model."
        }
        let pickle = names.first {
            $0.hasPrefix("pytorch_model") && ($0.hasSuffix(".bin") || $0.hasSuffix(".json"))
                || $0.hasSuffix(".pth")
        }
        guard let pickle else {
            return "holds neither \(singleFile) nor \(indexFile); name the folder of a whole model."
        }
        return "holds \(quoted(pickle)) but no \(singleFile); convert it with transformers: "
            + "AutoModelForCausalLM.from_pretrained(folder).save_pretrained(other_folder)."
    }
}
