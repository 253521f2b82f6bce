import CVector

/// What the operands of a matrix product are rounded to; sums are always fp32.
public enum ProductPrecision: String, Sendable, CaseIterable, Codable {
    /// Not at all.
    case fp32
    /// bf16: the upper 16 bits of an fp32 number, rounded to nearest, ties to even.
    case bf16

    private static let hasInstruction = SANDBOX_HAS_BF16_PRODUCTS == 1

    /// What to tell who asks for bf16 where this program was compiled for a CPU that does not multiply bf16 numbers
    /// (AVX512-BF16): the same sums are computed in fp32, subnormal numbers included, which the instruction takes for 0.
    public static let missingBF16Notice: String? =
        hasInstruction
        ? nil
        : "bf16: this program was compiled for a CPU without AVX512-BF16; the same rounded numbers are multiplied in "
            + "fp32, which is slower than fp32 itself"
}

/// Sixteen pairs of bf16 numbers as operands of a product, the earlier one of each in the lower half.
typealias PairLanes = SIMD16<UInt32>

extension Lanes {
    /// Pairs of this vector's numbers and those of `second`, rounded to bf16.
    @inline(__always)
    func bf16Pairs(with second: Lanes) -> PairLanes { sandbox_bf16_pairs(self, second) }
}

extension PairLanes {
    /// Pairs of neighbours: the numbers of `first`, then those of `second`, rounded to bf16.
    @inline(__always)
    init(neighbours first: Lanes, _ second: Lanes) {
        self = sandbox_bf16_neighbours(first, second)
    }
}

extension UInt32: ProductOperand {
    static var numbers: Int { 2 }

    @inline(__always)
    static func load(_ pointer: UnsafePointer<UInt32>) -> PairLanes {
        UnsafeRawPointer(pointer).loadUnaligned(as: PairLanes.self)
    }

    @inline(__always)
    static func addProduct(_ sums: inout Lanes, _ a: PairLanes, _ b: PairLanes) {
        sums = sandbox_add_bf16_products(sums, a, b)
    }

    @inline(__always)
    static func pack(_ first: Lanes, _ second: Lanes, into pointer: UnsafeMutablePointer<UInt32>) {
        pointer.store(first.bf16Pairs(with: second), at: 0)
    }

    @inline(__always)
    static func pack(_ last: Lanes, into pointer: UnsafeMutablePointer<UInt32>) {
        pack(last, Lanes(repeating: 0), into: pointer)
    }

    @inline(__always)
    static func operands(
        _ row: UnsafePointer<Float>, below: UnsafePointer<Float>?, count: Int
    ) -> PairLanes {
        row.lanes(at: 0, count: count)
            .bf16Pairs(with: below?.lanes(at: 0, count: count) ?? Lanes(repeating: 0))
    }
}

extension UnsafeMutablePointer<UInt32> {
    @inline(__always)
    func store(_ pairs: PairLanes, at offset: Int) {
        UnsafeMutableRawPointer(self + offset).storeBytes(of: pairs, as: PairLanes.self)
    }
}
