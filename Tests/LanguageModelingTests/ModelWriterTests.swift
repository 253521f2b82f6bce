import Foundation
import Kernels
import LanguageModeling
import TensorStorage
import TestSupport
import Testing
import Transformer

/// Writing folders and reading them again.
@Suite struct ModelWriterTests {
    private let pool = WorkerPool(workers: 2)

    /// The naive twin of rounding to `element`.
    private func rounded(_ value: Float, _ element: StoredElement) -> Float {
        switch element {
        case .float32: return value
        case .float16: return Float(Float16(value))
        case .bfloat16:
            let below = Float(bitPattern: value.bitPattern & 0xFFFF_0000)
            let above = Float(bitPattern: below.bitPattern + 0x1_0000)
            let (down, up) = ((value - below).magnitude, (above - value).magnitude)
            if down == up { return below.bitPattern & 0x1_0000 == 0 ? below : above }
            return down < up ? below : above
        }
    }

    @Test(arguments: StoredElement.allCases, [5_000_000_000, 700])
    func whatIsWrittenIsRead(_ element: StoredElement, _ shardSize: Int) throws {
        let configuration = try TinyModel.configuration()
        let parameters = TinyModel.parameters(configuration)
        let folder = try TemporaryDirectory()
        let writer = ModelWriter(configuration, storedAs: element, shardSize: shardSize)
        try writer.write(parameters, to: folder.file("model/"), pool: pool)
        #expect(try folder.names() == ["model"])
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.file("model"))
        if shardSize == 700 {
            #expect(names.count == 2 + writer.fileCount && writer.fileCount > 2)
            #expect(names.contains("model.safetensors.index.json"))
            let count = String(format: "%05d", writer.fileCount)
            #expect(names.contains("model-00001-of-\(count).safetensors"))
        } else {
            #expect(names.sorted() == ["config.json", "model.safetensors"])
            let file = try SafetensorsFile(path: folder.file("model/model.safetensors"))
            #expect(file.metadata == ["format": "pt"])
        }
        let model = try ModelDirectory(path: folder.file("model"))
        #expect(model.configuration.llama == configuration.llama)
        #expect(model.configuration.storedType == element)
        #expect(model.weights.embedding.element == element)
        let layout = configuration.llama.layout
        let read = try model.parameters()
        for entry in layout.entries {
            let expected = parameters[entry.range].array.map { rounded($0, element) }
            #expect(read[entry.range].array == expected, "\(entry.name)")
        }
        let text = try String(contentsOfFile: folder.file("model/config.json"), encoding: .utf8)
        #expect(text.contains("\"extra\": [\n    1e-05\n  ]"))
    }

    /// Shards are as full as they can be, and the index says where every tensor lies.
    @Test func theIndexListsEveryTensor() throws {
        struct Index: Decodable {
            struct Metadata: Decodable { let total_size: Int }
            let metadata: Metadata
            let weight_map: [String: String]
        }
        let configuration = try TinyModel.configuration()
        let writer = ModelWriter(configuration, storedAs: .bfloat16, shardSize: 700)
        let folder = try TemporaryDirectory()
        try writer.write(TinyModel.parameters(configuration), to: folder.file("m"), pool: pool)
        let data = try Data(
            contentsOf: URL(fileURLWithPath: folder.file("m/model.safetensors.index.json")))
        let index = try JSONDecoder().decode(Index.self, from: data)
        #expect(index.metadata.total_size == configuration.llama.parameterCount * 2)
        #expect(Set(index.weight_map.keys) == Set(configuration.llama.tensors.map(\.name)))
        let sizes = try Set(index.weight_map.values).sorted().map { name in
            try SafetensorsFile(path: folder.file("m/\(name)")).tensors.reduce(0) {
                $0 + $1.byteRange.count
            }
        }
        #expect(sizes.allSatisfy { $0 <= 700 } && sizes.reduce(0, +) == index.metadata.total_size)
        #expect(zip(sizes, sizes.dropFirst()).allSatisfy { $0 + $1 > 700 })
    }

    @Test func filesOfTheTokenizerAreHandedOn() throws {
        let configuration = try TinyModel.configuration()
        let source = try TemporaryDirectory()
        for name in ModelWriter.carriedFiles + ["README.md"] { try source.write(name, to: name) }
        let folder = try TemporaryDirectory()
        try ModelWriter(configuration, storedAs: .float32).write(
            TinyModel.parameters(configuration), to: folder.file("m"), carryingFrom: source.path,
            pool: pool)
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.file("m"))
        #expect(
            Set(names) == Set(ModelWriter.carriedFiles + ["config.json", "model.safetensors"]))
        #expect(
            try String(contentsOfFile: folder.file("m/merges.txt"), encoding: .utf8) == "merges.txt"
        )
    }

    @Test func numbersBeyondATypeAreRefused() throws {
        let configuration = try TinyModel.configuration()
        let parameters = TinyModel.parameters(configuration)
        let norm = configuration.llama.layout.view("model.norm.weight", in: parameters)
        let folder = try TemporaryDirectory()
        func refusal(_ element: StoredElement) -> String {
            let error = #expect(throws: TensorStorageError.self) {
                try ModelWriter(configuration, storedAs: element).write(
                    parameters, to: folder.file("m"), pool: pool)
            }
            return error?.description ?? ""
        }
        norm[3] = 65520
        #expect(
            refusal(.float16).hasSuffix(
                "tensor \"model.norm.weight\" has numbers beyond the largest of F16; store the model as bfloat16 or "
                    + "float32."))
        norm[3] = -.greatestFiniteMagnitude
        #expect(
            refusal(.bfloat16).hasSuffix("beyond the largest of BF16; store the model as float32."))
        #expect(try folder.names() == [])
        norm[3] = 65519
        norm[4] = .infinity
        try ModelWriter(configuration, storedAs: .float16).write(
            parameters, to: folder.file("m"), pool: pool)
        let read = try ModelDirectory(path: folder.file("m")).weights.finalNorm
        #expect(read[3] == 65504 && read[4] == .infinity)
    }

    @Test func aFolderThatExistsStays() throws {
        let configuration = try TinyModel.configuration()
        let folder = try TemporaryDirectory()
        try folder.write("kept", to: "m/file")
        let writer = ModelWriter(configuration, storedAs: .float32)
        let error = #expect(throws: LanguageModelError.self) {
            try writer.write(TinyModel.parameters(configuration), to: folder.file("m"), pool: pool)
        }
        #expect(
            error?.description
                == "\(folder.file("m")): exists already; name another folder or remove it.")
        #expect(try folder.names() == ["m"])
    }

    @Test func aDiskThatIsTooSmallIsNoticedBefore() throws {
        let configuration = try TinyModel.configuration(
            "\"vocab_size\": 20", "\"vocab_size\": 2000000000")
        let large = try LanguageModelConfiguration(
            json: Array(
                TinyModel.text.replacingOccurrences(
                    of: "\"vocab_size\": 20", with: "\"vocab_size\": 2000000000"
                )
                .replacingOccurrences(of: "\"hidden_size\": 8", with: "\"hidden_size\": 1000000")
                .utf8),
            source: "config.json")
        #expect(configuration.llama.vocabularySize == large.llama.vocabularySize)
        let folder = try TemporaryDirectory()
        let error = #expect(throws: LanguageModelError.self) {
            try ModelWriter(large, storedAs: .bfloat16).write(
                to: folder.file("m"), pool: pool, elements: { _, _, _ in })
        }
        let text = error?.description ?? ""
        #expect(
            text.contains("m: the model takes 8000") && text.contains(" bytes), and the disk has "),
            "\(text)")
        #expect(try folder.names() == [])
    }

    @Test func whatThrowsBetweenPiecesLeavesNothing() throws {
        struct Stop: Error {}
        let configuration = try TinyModel.configuration()
        let folder = try TemporaryDirectory()
        #expect(throws: Stop.self) {
            try ModelWriter(configuration, storedAs: .float32, shardSize: 700).write(
                to: folder.file("m"), pool: pool, elements: { _, _, target in target.fill(1) },
                wrote: { _ in throw Stop() })
        }
        #expect(try folder.names() == [])
    }
}

/// Random weights.
@Suite struct FreshParametersTests {
    /// Larger than a piece, so that pieces meet within a tensor.
    private func configuration() throws -> LanguageModelConfiguration {
        let text = TinyModel.text.replacingOccurrences(
            of: "\"vocab_size\": 20", with: "\"vocab_size\": 40000")
        return try LanguageModelConfiguration(json: Array(text.utf8), source: "config.json")
    }

    private func parameters(workers: Int, seed: UInt64, _ folder: String) throws -> FloatView {
        let configuration = try configuration()
        let fresh = FreshParameters(configuration, seed: seed)
        try ModelWriter(configuration, storedAs: .float32).write(
            to: folder, pool: WorkerPool(workers: workers),
            elements: { fresh.fill(tensor: $0, range: $1, target: $2) })
        return try ModelDirectory(path: folder).parameters()
    }

    @Test func hangOnTheSeedAlone() throws {
        let folder = try TemporaryDirectory()
        let first = try parameters(workers: 1, seed: 5, folder.file("a")).array
        #expect(try parameters(workers: 3, seed: 5, folder.file("b")).array == first)
        #expect(try parameters(workers: 3, seed: 6, folder.file("c")).array != first)
    }

    @Test func areDistributedAsTheConfigurationSays() throws {
        let folder = try TemporaryDirectory()
        let layout = try configuration().llama.layout
        let flat = try parameters(workers: 2, seed: 1, folder.file("a"))
        let embedding = layout.view("model.embed_tokens.weight", in: flat).array.map(Double.init)
        let count = Double(embedding.count)
        let mean = embedding.reduce(0, +) / count
        let variance = embedding.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
        // Four standard errors.
        #expect(mean.magnitude < 4 * 0.02 / count.squareRoot())
        #expect((variance.squareRoot() / 0.02 - 1).magnitude < 4 / (2 * count).squareRoot())
        #expect(Set(embedding).count > embedding.count * 9 / 10)
        let head = layout.view("lm_head.weight", in: flat).array.map(Double.init)
        let product = zip(embedding, head).reduce(0) { $0 + $1.0 * $1.1 } / count
        #expect(product.magnitude < 4 * 0.02 * 0.02 / count.squareRoot())
        for entry in layout.entries {
            if entry.name.hasSuffix("norm.weight") {
                #expect(flat[entry.range].array.allSatisfy { $0 == 1 })
            } else if entry.name.hasSuffix(".bias") {
                #expect(flat[entry.range].array.allSatisfy { $0 == 0 })
            }
        }
    }
}
