import Foundation
import Kernels

/// Slow twins of the kernels: one readable formula each, in plain loops and double precision.
///
/// They share no code and, where the fast kernel rearranges a formula, not its rearrangement either.
public enum Naive {
    /// `y = (x − μ) / √(σ² + ε) · γ + β` for every row of `x: [rows, width]`; `γ, β: [width]`.
    public static func layerNorm(
        _ x: [Double], weight: [Double], bias: [Double], epsilon: Double
    ) -> [Double] {
        let width = weight.count
        var y = [Double](repeating: 0, count: x.count)
        for start in stride(from: 0, to: x.count, by: width) {
            let (normalized, _) = normalize(Array(x[start..<start + width]), epsilon: epsilon)
            for column in 0..<width {
                y[start + column] = normalized[column] * weight[column] + bias[column]
            }
        }
        return y
    }

    /// The gradients of ``layerNorm(_:weight:bias:epsilon:)`` for `dy: [rows, width]`, by the full Jacobian
    /// `∂x̂_j / ∂x_i = r (δ_ij − 1/n − x̂_i x̂_j / n)`.
    public static func layerNormBackward(
        dOutput: [Double], input: [Double], weight: [Double], epsilon: Double
    ) -> (dInput: [Double], dWeight: [Double], dBias: [Double]) {
        let width = weight.count
        let n = Double(width)
        var dInput = [Double](repeating: 0, count: input.count)
        var dWeight = [Double](repeating: 0, count: width)
        var dBias = [Double](repeating: 0, count: width)
        for start in stride(from: 0, to: input.count, by: width) {
            let (normalized, scale) = normalize(
                Array(input[start..<start + width]), epsilon: epsilon)
            for j in 0..<width {
                let dy = dOutput[start + j]
                dWeight[j] += dy * normalized[j]
                dBias[j] += dy
                for i in 0..<width {
                    let same = i == j ? 1.0 : 0
                    dInput[start + i] +=
                        dy * weight[j] * scale * (same - 1 / n - normalized[i] * normalized[j] / n)
                }
            }
        }
        return (dInput, dWeight, dBias)
    }

    /// x̂ = (x − μ) r and r = 1 / √(σ² + ε) of one row.
    private static func normalize(
        _ row: [Double], epsilon: Double
    ) -> (normalized: [Double], scale: Double) {
        let n = Double(row.count)
        let mean = row.reduce(0, +) / n
        let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / n
        let scale = 1 / (variance + epsilon).squareRoot()
        return (row.map { ($0 - mean) * scale }, scale)
    }

    /// `½ x (1 + tanh(√(2/π) (x + 0.044715 x³)))`.
    public static func gelu(_ x: Double) -> Double {
        0.5 * x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
    }

    /// The derivative of ``gelu(_:)``: `½ (1 + tanh u) + ½ x (1 − tanh² u) u′`.
    public static func geluDerivative(_ x: Double) -> Double {
        let root = (2 / Double.pi).squareRoot()
        let t = tanh(root * (x + 0.044715 * x * x * x))
        return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * root * (1 + 3 * 0.044715 * x * x)
    }

    /// `op(A) · op(B): [rows, columns]` with sums of length `inner`.
    public static func matrixProduct(
        _ a: [Double], _ b: [Double], rows: Int, columns: Int, inner: Int,
        transposeA: Bool = false, transposeB: Bool = false
    ) -> [Double] {
        var product = [Double](repeating: 0, count: rows * columns)
        for row in 0..<rows {
            for column in 0..<columns {
                for k in 0..<inner {
                    let left = transposeA ? a[k * rows + row] : a[row * inner + k]
                    let right = transposeB ? b[column * inner + k] : b[k * columns + column]
                    product[row * columns + column] += left * right
                }
            }
        }
        return product
    }

    /// Causal attention on `[B, T, 3C]`: `o: [B, T, C]` and `log Σ_{j ≤ i} exp(s_ij): [B, H, T]`.
    public static func causalAttention(
        _ queriesKeysValues: [Double], shape: AttentionShape
    ) -> (output: [Double], logNormalizer: [Double]) {
        let rows = shape.examples * shape.length
        var output = [Double](repeating: 0, count: rows * shape.channels)
        var logNormalizer = [Double](repeating: 0, count: rows * shape.headCount)
        for (example, head) in heads(of: shape) {
            let (q, k, v) = split(queriesKeysValues, shape, example, head)
            for i in 0..<shape.length {
                let (weights, normalizer) = softmax(q[i], keys: k[0...i])
                logNormalizer[(example * shape.headCount + head) * shape.length + i] = normalizer
                let place = (example * shape.length + i) * shape.channels + head * shape.headSize
                for channel in 0..<shape.headSize {
                    for j in 0...i { output[place + channel] += weights[j] * v[j][channel] }
                }
            }
        }
        return (output, logNormalizer)
    }

    /// The gradient `[B, T, 3C]` of ``causalAttention(_:shape:)`` for `do: [B, T, C]`, by the softmax's Jacobian
    /// `∂p_j / ∂s_l = p_j (δ_jl − p_l)`.
    public static func causalAttentionBackward(
        dOutput: [Double], queriesKeysValues: [Double], shape: AttentionShape
    ) -> [Double] {
        var gradient = [Double](repeating: 0, count: queriesKeysValues.count)
        let size = shape.headSize
        let root = Double(size).squareRoot()
        for (example, head) in heads(of: shape) {
            let (q, k, v) = split(queriesKeysValues, shape, example, head)
            func place(_ part: Int, _ row: Int) -> Int {
                ((example * shape.length + row) * 3 + part) * shape.channels + head * size
            }
            for i in 0..<shape.length {
                let (p, _) = softmax(q[i], keys: k[0...i])
                let from = (example * shape.length + i) * shape.channels + head * size
                let d = Array(dOutput[from..<from + size])
                let dp = (0...i).map { dot(d, v[$0]) }
                let mean = zip(p, dp).reduce(0) { $0 + $1.0 * $1.1 }
                for j in 0...i {
                    let ds = p[j] * (dp[j] - mean)
                    for channel in 0..<size {
                        gradient[place(0, i) + channel] += ds * k[j][channel] / root
                        gradient[place(1, j) + channel] += ds * q[i][channel] / root
                        gradient[place(2, j) + channel] += p[j] * d[channel]
                    }
                }
            }
        }
        return gradient
    }

    private static func heads(of shape: AttentionShape) -> [(example: Int, head: Int)] {
        (0..<shape.examples).flatMap { example in
            (0..<shape.headCount).map { (example, $0) }
        }
    }

    /// Queries, keys and values of one head, each `[T][K]`.
    private static func split(
        _ all: [Double], _ shape: AttentionShape, _ example: Int, _ head: Int
    ) -> (q: [[Double]], k: [[Double]], v: [[Double]]) {
        func part(_ index: Int) -> [[Double]] {
            (0..<shape.length).map { row in
                let start =
                    ((example * shape.length + row) * 3 + index) * shape.channels
                    + head * shape.headSize
                return Array(all[start..<start + shape.headSize])
            }
        }
        return (part(0), part(1), part(2))
    }

    private static func softmax(
        _ query: [Double], keys: ArraySlice<[Double]>
    ) -> (weights: [Double], logNormalizer: Double) {
        let scores = keys.map { dot(query, $0) / Double(query.count).squareRoot() }
        let largest = scores.max() ?? 0
        let sum = scores.reduce(0) { $0 + exp($1 - largest) }
        let normalizer = largest + log(sum)
        return (scores.map { exp($0 - normalizer) }, normalizer)
    }

    private static func dot(_ a: [Double], _ b: [Double]) -> Double {
        zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
    }
}

/// Adam and AdamW as PyTorch's documentation writes them, in double precision.
public struct NaiveAdam {
    /// p.
    public var parameters: [Double]
    /// m.
    public var first: [Double]
    /// v.
    public var second: [Double]
    private var number = 0

    /// Starts with the given parameters and moments of 0.
    public init(_ parameters: [Double]) {
        self.parameters = parameters
        first = [Double](repeating: 0, count: parameters.count)
        second = first
    }

    /// One update with `gradients` times `gradientScale`.
    public mutating func update(
        _ gradients: [Double], learningRate: Double, beta1: Double = 0.9, beta2: Double = 0.999,
        epsilon: Double = 1e-8, weightDecay: Double = 0, decoupled: Bool = false,
        gradientScale: Double = 1
    ) {
        number += 1
        for index in parameters.indices {
            var g = gradients[index] * gradientScale
            if decoupled {
                parameters[index] -= learningRate * weightDecay * parameters[index]
            } else {
                g += weightDecay * parameters[index]
            }
            first[index] = beta1 * first[index] + (1 - beta1) * g
            second[index] = beta2 * second[index] + (1 - beta2) * g * g
            let m = first[index] / (1 - pow(beta1, Double(number)))
            let v = second[index] / (1 - pow(beta2, Double(number)))
            parameters[index] -= learningRate * m / (v.squareRoot() + epsilon)
        }
    }
}

extension [Float] {
    /// The same numbers in double precision, exactly.
    public var doubles: [Double] { map(Double.init) }
}

extension FloatView {
    /// The elements in double precision, exactly.
    public var doubles: [Double] { array.doubles }
}
