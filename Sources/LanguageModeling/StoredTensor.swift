import Kernels
import Transformer

/// A tensor of a model, read as fp32 wherever it lies.
public enum StoredTensor: Sendable {
    /// A matrix where it lies in a file.
    case matrix(StoredMatrix)
    /// Numbers in memory.
    case vector(FloatView)

    /// Copies the elements `range`, row after row, into `target`.
    public func copy(_ range: Range<Int>, into target: FloatView) {
        precondition(target.count == range.count, "\(target.count) numbers for \(range)")
        switch self {
        case .vector(let view): target.copy(from: view[range])
        case .matrix(let matrix): matrix.copy(range, into: target)
        }
    }
}

extension ModelDirectory {
    /// The tensors in the order of `configuration.llama.tensors`.
    public func tensorReaders() -> [StoredTensor] {
        var readers: [StoredTensor] = [.matrix(weights.embedding)]
        func add(_ map: LlamaLinear<StoredMatrix>) {
            readers.append(.matrix(map.weight))
            if let bias = map.bias { readers.append(.vector(bias)) }
        }
        for layer in weights.layers {
            readers.append(.vector(layer.attentionNorm))
            for map in [layer.query, layer.key, layer.value, layer.output] { add(map) }
            readers.append(.vector(layer.feedForwardNorm))
            for map in [layer.gate, layer.up, layer.down] { add(map) }
        }
        readers.append(.vector(weights.finalNorm))
        if !configuration.llama.tiesEmbeddings { readers.append(.matrix(weights.head)) }
        return readers
    }
}
