import Kernels
import LanguageModeling
import TensorStorage
import Transformer

/// A model with adapters merged into it: `W + (α / r) B A` at every target.
public struct AdapterMerge: Sendable {
    private let base: ModelDirectory
    private let lora: LlamaLoRA
    /// The factors behind each tensor of the model's list; nil where there are none.
    private let factors: [LoRAFactors?]

    /// - Parameters:
    ///   - base: the model.
    ///   - adapter: what is added to it.
    public init(base: ModelDirectory, adapter: AdapterDirectory) {
        self.base = base
        let llama = base.configuration.llama
        lora = adapter.adapters(of: base)
        var places: [String: LoRAFactors] = [:]
        for (layer, targets) in lora.layers.enumerated() {
            for (projection, factor) in targets {
                places["model.layers.\(layer).\(projection.path).weight"] = factor
            }
        }
        factors = llama.tensors.map { places[$0.name] }
    }

    /// Bytes of all tensors, stored as `storedType` or as the base is.
    public func byteCount(_ storedType: StoredElement?) -> Int {
        writer(storedType).byteCount
    }

    private func writer(_ storedType: StoredElement?) -> ModelWriter {
        ModelWriter(
            base.configuration, storedAs: storedType ?? base.weights.embedding.element)
    }

    /// Writes the merged model to the folder `path`, which must not exist: piece by piece, so that it may be larger than
    /// memory.
    ///
    /// - Parameters:
    ///   - path: the folder to create.
    ///   - storedType: what every tensor is stored as; nil for what the base is stored as.
    ///   - pool: who does it.
    ///   - wrote: told how many bytes were written since its last call.
    /// - Throws: as `ModelWriter.write`.
    public func write(
        to path: String, storedAs storedType: StoredElement? = nil, pool: WorkerPool,
        wrote: (_ bytes: Int) throws -> Void = { _ in }
    ) throws {
        let writer = writer(storedType)
        let (factors, lora, tensors) = (factors, lora, base.tensorReaders())
        try writer.write(
            to: path, carryingFrom: base.path, pool: pool,
            elements: { tensor, range, target in
                tensors[tensor].copy(range, into: target)
                if let factor = factors[tensor] { lora.addProduct(of: factor, range, to: target) }
            }, wrote: wrote)
    }
}
