import Foundation
import TestSupport
import Testing

@testable import Kernels

/// The polynomial exponential that GELU and softmax rest on.
@Suite struct ExponentialTests {
    @Test func isAccurateOverItsWholeRange() {
        let count = 400_000
        var generator = TestGenerator(seed: 9)
        var worst = (error: 0.0, at: Float(0))
        for step in stride(from: 0, to: count, by: laneCount) {
            var x = Lanes(repeating: 0)
            for lane in 0..<laneCount {
                let share = (Double(step + lane) + generator.uniform()) / Double(count)
                x[lane] = Float(-87 + 175 * share)
            }
            let y = exponential(x)
            for lane in 0..<laneCount {
                let exact = exp(Double(x[lane]))
                let error = abs(Double(y[lane]) - exact) / exact
                if !(error <= worst.error) { worst = (error, x[lane]) }
            }
        }
        #expect(worst.error < 2e-7, "relative error \(worst.error) at \(worst.at)")
    }

    @Test func isExactAtZeroAndClampedOutside() {
        let x: [Float] = [
            0, -0.0, -87, -88, -1000, -.infinity, 88, 89, 1e30, .infinity, -87.5, 1, -1, 88, -87, 0,
        ]
        let y = exponential(Lanes(x))
        #expect(y[0] == 1 && y[1] == 1)
        for lane in [3, 4, 5, 10] { #expect(y[lane] == y[2], "e^\(x[lane])") }
        for lane in [7, 8, 9] { #expect(y[lane] == y[6], "e^\(x[lane])") }
        #expect(y[2] > 0 && y[6].isFinite)
    }

    @Test func passesNaNOnWhateverItsPayload() {
        for payload in [0, 1, 0xff, 0x1ff, 0x3f_ffff] as [UInt32] {
            for sign in [0, 0x8000_0000] as [UInt32] {
                let nan = Float(bitPattern: sign | 0x7fc0_0000 | payload)
                let y = exponential(Lanes(repeating: nan))
                for lane in 0..<laneCount {
                    #expect(y[lane].isNaN, "\(String(nan.bitPattern, radix: 16)) gave \(y[lane])")
                }
            }
        }
    }
}
