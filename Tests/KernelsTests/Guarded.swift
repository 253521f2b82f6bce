import Kernels

/// A view that lies, unaligned, between stretches of marked NaNs.
///
/// What a kernel reads outside its range poisons its result, and what it writes there is noticed by ``isIntact``.
struct Guarded {
    private static let margin = 61
    private static let mark = Float(bitPattern: 0x7fc0_5a00)
    private let whole: FloatView
    /// The part a kernel may touch.
    let view: FloatView

    /// Holds `values`.
    init(_ values: [Float]) {
        whole = FloatView(zeros: values.count + 2 * Self.margin)
        whole.fill(Self.mark)
        view = whole[Self.margin..<Self.margin + values.count]
        view.copy(from: values)
    }

    /// Holds `count` NaNs: an output that a kernel must overwrite wholly.
    init(count: Int) { self.init([Float](repeating: .nan, count: count)) }

    /// Whether both margins still hold their marks.
    var isIntact: Bool {
        let all = whole.array
        return (all.prefix(Self.margin) + all.suffix(Self.margin))
            .allSatisfy { $0.bitPattern == Self.mark.bitPattern }
    }
}

/// `Σ c · y` in double: a scalar whose gradient with respect to `y` is `c`.
func weightedSum(_ y: FloatView, _ c: [Float]) -> Double {
    zip(y.array, c).reduce(0) { $0 + Double($1.0) * Double($1.1) }
}
