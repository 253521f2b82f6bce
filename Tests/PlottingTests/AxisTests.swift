import Testing

@testable import Plotting

@Suite struct AxisTests {
    private func labels(
        _ scale: AxisScale, _ range: ClosedRange<Double>, about count: Int,
        wholeNumbers: Bool = false
    ) throws -> [String] {
        try #require(Axis(scale: scale, range: range, fitting: [], margin: 0))
            .ticks(about: count, wholeNumbers: wholeNumbers).map(\.label)
    }

    @Test func linearTicksAreRoundNumbers() throws {
        #expect(try labels(.linear, 0...30, about: 6) == ["0", "5", "10", "15", "20", "25", "30"])
        #expect(
            try labels(.linear, -0.21...0.2, about: 4) == ["−0.2", "−0.1", "0.0", "0.1", "0.2"])
        #expect(
            try labels(.linear, 0...50_000, about: 5)
                == ["0", "10,000", "20,000", "30,000", "40,000", "50,000"])
        #expect(try labels(.linear, 0...3e-6, about: 3) == ["0", "1·10⁻⁶", "2·10⁻⁶", "3·10⁻⁶"])
        #expect(
            try labels(.linear, 1e9...1.002e9, about: 2)
                == ["1.000·10⁹", "1.001·10⁹", "1.002·10⁹"])
    }

    @Test func countsHaveNoFractions() throws {
        #expect(try labels(.linear, 0...3, about: 9, wholeNumbers: true) == ["0", "1", "2", "3"])
        #expect(
            try labels(.linear, 0...3, about: 6) == [
                "0.0", "0.5", "1.0", "1.5", "2.0", "2.5", "3.0",
            ])
    }

    @Test func logarithmicTicksAreDecades() throws {
        #expect(try labels(.log10, 0.05...200, about: 7) == ["0.1", "1", "10", "100"])
        #expect(try labels(.log10, 1e-6...2, about: 4) == ["10⁻⁶", "10⁻⁴", "10⁻²", "10⁰"])
        #expect(try labels(.log10, 0.15...6, about: 7) == ["0.2", "0.5", "1", "2", "5"])
        #expect(try labels(.log10, 1.1...1.9, about: 4) == ["1.2", "1.4", "1.6", "1.8"])
    }

    @Test func minorTicksLieBetweenDecades() throws {
        let axis = try #require(Axis(scale: .log10, range: 1...10, fitting: [], margin: 0))
        #expect(axis.minorTicks() == [2, 3, 4, 5, 6, 7, 8, 9])
    }

    @Test func automaticRangeIgnoresWhatCannotBeDrawn() throws {
        let values: [Double] = [.nan, 2, 10, .infinity, -.infinity]
        let linear = try #require(Axis(scale: .linear, range: nil, fitting: values, margin: 0.1))
        #expect(abs(linear.lower - 1.2) < 1e-12 && abs(linear.upper - 10.8) < 1e-12)
        let logarithmic = try #require(
            Axis(scale: .log10, range: nil, fitting: [0, -3, 1, 100], margin: 0))
        #expect(logarithmic.lower == 1 && logarithmic.upper == 100)
        #expect(logarithmic.fraction(0) == -.infinity && logarithmic.fraction(10) == 0.5)
        #expect(Axis(scale: .log10, range: nil, fitting: [0, -1, .nan], margin: 0) == nil)
        #expect(Axis(scale: .linear, range: nil, fitting: [.nan], margin: 0) == nil)
    }

    @Test func roundingNoiseDoesNotStretchALogarithmicAxis() throws {
        let axis = try #require(
            Axis(scale: .log10, range: nil, fitting: [1e-28, 1], margin: 0))
        #expect(abs(axis.lower / 1e-6 - 1) < 1e-9)
    }

    @Test func aConstantHasRoomOnBothSides() throws {
        for scale in AxisScale.allCases {
            for value in [3.0, 1e-9, 1e12] {
                let axis = try #require(
                    Axis(scale: scale, range: nil, fitting: [value, value], margin: 0.05))
                #expect(axis.lower < value && value < axis.upper)
                #expect(axis.ticks(about: 5).count >= 1, "\(scale) around \(value)")
            }
        }
    }
}
