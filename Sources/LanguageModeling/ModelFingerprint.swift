import Experiments
import Foundation
import TensorStorage
import Transformer

extension ModelDirectory {
    /// 64 hexadecimal digits that tell one model from another: SHA-256 over what config.json says of its arithmetic, and over
    /// every tensor's name, type, shape and first and last 4,096 bytes.
    ///
    /// Training moves all of a tensor, so that the ends show it; a model of 13 GB is told in milliseconds, without being read.
    public func fingerprint() throws -> String {
        let llama = configuration.llama
        // Shapes do not tell heads, angles and ε, and an unnamed sequence length is that of the positions.
        var data = Data(
            """
            \(llama.headCount) \(llama.keyValueHeadCount) \(llama.headSize) \(llama.positionCount) \
            \(llama.rmsNormEpsilon) \(llama.rotary.theta) \(llama.rotary.scaling.fields)

            """.utf8)
        for tensor in llama.tensors {
            let file = try file(of: tensor.name)
            let type = file[tensor.name]?.elementType.rawValue ?? ""
            data += Data("\(tensor.name) \(type) \(tensor.shape)\n".utf8)
            data += try file.ends(of: tensor.name, count: 4096)
        }
        return sha256Hex(data)
    }
}

extension RotaryEmbedding.Scaling {
    /// What decides the frequencies, in words that no renaming changes.
    fileprivate var fields: String {
        switch self {
        case .plain: "plain"
        case .llama3(
            let factor, let lowFrequencyFactor, let highFrequencyFactor, let originalPositions):
            "llama3 \(factor) \(lowFrequencyFactor) \(highFrequencyFactor) \(originalPositions)"
        }
    }
}
