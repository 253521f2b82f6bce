import Foundation
import Kernels

/// The parts of a Llama model, one readable formula each.
extension Naive {
    /// `y = x / √(mean(x²) + ε) · γ` for every row of `x: [rows, width]`; `γ: [width]`.
    public static func rmsNorm(_ x: [Double], weight: [Double], epsilon: Double) -> [Double] {
        let width = weight.count
        var y = x
        for start in stride(from: 0, to: x.count, by: width) {
            var squares = 0.0
            for column in start..<start + width { squares += x[column] * x[column] }
            let root = (squares / Double(width) + epsilon).squareRoot()
            for column in 0..<width {
                y[start + column] = x[start + column] / root * weight[column]
            }
        }
        return y
    }

    /// `f_j = θ^(−2j / K)` for j < K / 2.
    public static func rotaryFrequencies(headSize: Int, theta: Double) -> [Double] {
        (0..<headSize / 2).map { pow(theta, -2 * Double($0) / Double(headSize)) }
    }

    /// Each pair (j, j + K / 2) of each head of `x: [rows, heads · K]` turned by the angle `position · f_j`.
    public static func rotate(
        _ x: [Double], positions: [Int], headCount: Int, headSize: Int, frequencies: [Double]
    ) -> [Double] {
        let half = headSize / 2
        var y = x
        for row in 0..<positions.count {
            for head in 0..<headCount {
                let start = (row * headCount + head) * headSize
                for j in 0..<half {
                    let angle = Double(positions[row]) * frequencies[j]
                    let (first, second) = (x[start + j], x[start + half + j])
                    y[start + j] = first * cos(angle) - second * sin(angle)
                    y[start + half + j] = second * cos(angle) + first * sin(angle)
                }
            }
        }
        return y
    }

    /// `g / (1 + e^(−g)) · u`, number by number.
    public static func swiGLU(gate: [Double], up: [Double]) -> [Double] {
        var h = gate
        for index in gate.indices { h[index] = gate[index] / (1 + exp(-gate[index])) * up[index] }
        return h
    }

    /// Causal attention of one sequence: `o: [T, H·K]` from `q: [T, H·K]` and `k, v: [T, G·K]`; head h reads the
    /// keys of head h ÷ (H / G), rounded down.
    public static func groupedAttention(
        queries: [Double], keys: [Double], values: [Double], length: Int, headCount: Int,
        keyValueHeadCount: Int, headSize: Int
    ) -> [Double] {
        let wide = headCount * headSize
        let narrow = keyValueHeadCount * headSize
        let root = Double(headSize).squareRoot()
        var output = [Double](repeating: 0, count: length * wide)
        for head in 0..<headCount {
            let shared = head / (headCount / keyValueHeadCount) * headSize
            for i in 0..<length {
                let query = i * wide + head * headSize
                var weights: [Double] = []
                for j in 0...i {
                    let key = j * narrow + shared
                    var score = 0.0
                    for c in 0..<headSize { score += queries[query + c] * keys[key + c] }
                    weights.append(exp(score / root))
                }
                let sum = weights.reduce(0, +)
                for j in 0...i {
                    let value = j * narrow + shared
                    for c in 0..<headSize {
                        output[query + c] += weights[j] / sum * values[value + c]
                    }
                }
            }
        }
        return output
    }

    /// `−log softmax(z)` at each row's target: `[rows]` from `z: [rows, V]`.
    public static func crossEntropy(_ logits: [Double], targets: [Int]) -> [Double] {
        let width = logits.count / targets.count
        var losses: [Double] = []
        for (row, target) in targets.enumerated() {
            let start = row * width
            // Without the largest taken off, the exponentials of huge logits would be infinite.
            var largest = logits[start]
            for index in 0..<width { largest = max(largest, logits[start + index]) }
            var sum = 0.0
            for index in 0..<width { sum += exp(logits[start + index] - largest) }
            losses.append(log(sum) + (largest - logits[start + target]))
        }
        return losses
    }
}

/// Numbers of 16 bits by Swift's own conversions.
extension Naive {
    /// The bits of `x` as fp16, rounded, or as bf16, cut off.
    public static func halfBits(_ x: Float, _ element: StoredElement) -> UInt16 {
        precondition(element != .float32, "an fp32 has 32 bits")
        return element == .float16
            ? Float16(x).bitPattern : UInt16(truncatingIfNeeded: x.bitPattern >> 16)
    }

    /// The number that 16 bits stand for.
    public static func number(halfBits: UInt16, _ element: StoredElement) -> Float {
        precondition(element != .float32, "an fp32 has 32 bits")
        return element == .float16
            ? Float(Float16(bitPattern: halfBits)) : Float(bitPattern: UInt32(halfBits) << 16)
    }

    /// `values` as `element` can hold them.
    public static func representable(_ values: [Float], _ element: StoredElement) -> [Float] {
        element == .float32
            ? values : values.map { number(halfBits: halfBits($0, element), element) }
    }
}

extension StoredMatrix {
    /// A matrix of fresh memory.
    ///
    /// - Parameters:
    ///   - values: `[rows, columns]`, numbers that `element` can hold.
    ///   - element: what the elements are to be.
    ///   - rows: outputs.
    ///   - columns: inputs.
    ///   - offset: bytes between an aligned address and the first element.
    public init(
        _ values: [Float], element: StoredElement, rows: Int, columns: Int, offset: Int = 0
    ) {
        if element == .float32 {
            self.init(FloatView(values), rows: rows, columns: columns)
        } else {
            self.init(
                halfBits: values.map { Naive.halfBits($0, element) }, element: element, rows: rows,
                columns: columns, offset: offset)
        }
    }

    /// A matrix of fresh memory with elements of 16 bits.
    ///
    /// - Parameters:
    ///   - halfBits: `[rows, columns]`.
    ///   - element: what the elements are.
    ///   - rows: outputs.
    ///   - columns: inputs.
    ///   - offset: bytes between an aligned address and the first element.
    public init(
        halfBits: [UInt16], element: StoredElement, rows: Int, columns: Int, offset: Int
    ) {
        let memory = Buffer<UInt8>(count: 2 * halfBits.count + offset)
        memory.view.withMutableBytes { bytes in
            for (index, bits) in halfBits.enumerated() {
                bytes.storeBytes(of: bits, toByteOffset: offset + 2 * index, as: UInt16.self)
            }
        }
        self = memory.view.withBytes { bytes in
            StoredMatrix(
                bytes: UnsafeRawBufferPointer(rebasing: bytes[offset..<bytes.count]),
                owner: memory, element: element, rows: rows, columns: columns)
        }
    }
}
