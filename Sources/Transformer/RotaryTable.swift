import Foundation
import Kernels

/// Cosines and sines of the angles of the first positions, `[positions, K / 2]` each.
struct RotaryTable: Sendable {
    let cosines: FloatView
    let sines: FloatView

    /// The tables for `positions` positions of heads of `headSize` numbers.
    ///
    /// Frequencies and angles are rounded to fp32, as the models saw them when they were trained; only then is the
    /// cosine taken.
    init(_ rotary: RotaryEmbedding, headSize: Int, positions: Int) {
        let frequencies = rotary.frequencies(headSize: headSize)
        let half = frequencies.count
        cosines = FloatView(zeros: positions * half)
        sines = FloatView(zeros: positions * half)
        cosines.withMutableSpan { cosines in
            sines.withMutableSpan { sines in
                for position in 0..<positions {
                    for (place, frequency) in frequencies.enumerated() {
                        let angle = Double(Float(position) * frequency)
                        cosines[position * half + place] = Float(cos(angle))
                        sines[position * half + place] = Float(sin(angle))
                    }
                }
            }
        }
    }
}

extension RotaryEmbedding {
    /// `f_j` for j < K / 2, scaled.
    func frequencies(headSize: Int) -> [Float] {
        (0..<headSize / 2).map { place in
            let exponent = Float(2 * place) / Float(headSize)
            return scaled(1 / Float(pow(theta, Double(exponent))))
        }
    }

    private func scaled(_ frequency: Float) -> Float {
        guard case .llama3(let factor, let low, let high, let original) = scaling else {
            return frequency
        }
        let f = Double(frequency)
        let waves = Double(original) * f / (2 * Double.pi)
        if waves < low { return Float(f / factor) }
        if waves > high { return frequency }
        let share = (waves - low) / (high - low)
        return Float((1 - share) * f / factor + share * f)
    }
}
