/// Memory for operands of products, of four bytes each: fp32 numbers, or pairs of numbers rounded to bf16.
struct OperandBuffer: Sendable {
    /// What the operands are rounded to.
    let precision: ProductPrecision
    let numbers: FloatView
    /// The operands in bf16; one of the two is empty.
    let pairs: BufferView<UInt32>

    /// `count` zeros.
    init(count: Int, precision: ProductPrecision) {
        self.precision = precision
        numbers = FloatView(zeros: precision == .fp32 ? count : 0)
        pairs = BufferView(zeros: precision == .bf16 ? count : 0)
    }

    /// Operands that it holds.
    var count: Int { max(numbers.count, pairs.count) }
}
