import CVector

/// The vector every elementwise kernel is written in: one AVX-512 register, two AVX2 or four NEON registers.
typealias Lanes = SIMD16<Float>

/// Number of floats in a ``Lanes`` vector.
let laneCount = 16

/// 0 … 15.
let laneNumbers = Lanes(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)

/// `count` rounded up to a whole number of ``Lanes``.
@inline(__always)
func paddedToLanes(_ count: Int) -> Int { (count + laneCount - 1) / laneCount * laneCount }

extension UnsafePointer<Float> {
    @inline(__always)
    func lanes(at offset: Int) -> Lanes {
        UnsafeRawPointer(self + offset).loadUnaligned(as: Lanes.self)
    }

    /// The first `count` < 16 lanes at `offset`; the others are 0.
    @inline(__always)
    func partialLanes(at offset: Int, count: Int) -> Lanes {
        sandbox_load_some(self + offset, count)
    }

    /// The first `count` ≤ 16 lanes at `offset`; the others are 0.
    @inline(__always)
    func lanes(at offset: Int, count: Int) -> Lanes {
        count == laneCount ? lanes(at: offset) : partialLanes(at: offset, count: count)
    }
}

extension UnsafeMutablePointer<Float> {
    @inline(__always)
    func lanes(at offset: Int) -> Lanes {
        UnsafeRawPointer(self + offset).loadUnaligned(as: Lanes.self)
    }

    @inline(__always)
    func partialLanes(at offset: Int, count: Int) -> Lanes {
        UnsafePointer(self).partialLanes(at: offset, count: count)
    }

    @inline(__always)
    func store(_ lanes: Lanes, at offset: Int) {
        UnsafeMutableRawPointer(self + offset).storeBytes(of: lanes, as: Lanes.self)
    }

    @inline(__always)
    func lanes(at offset: Int, count: Int) -> Lanes {
        UnsafePointer(self).lanes(at: offset, count: count)
    }

    /// Writes the first `count` ≤ 16 lanes.
    @inline(__always)
    func store(_ lanes: Lanes, at offset: Int, count: Int) {
        if count == laneCount {
            store(lanes, at: offset)
        } else {
            storePartial(lanes, at: offset, count: count)
        }
    }

    @inline(__always)
    func storePartial(_ lanes: Lanes, at offset: Int, count: Int) {
        sandbox_store_some(lanes, self + offset, count)
    }
}

extension Lanes {
    /// The sum of the 16 lanes, halves first: a fixed order, so that results do not depend on the CPU.
    @inline(__always)
    var total: Float {
        let eight = lowHalf + highHalf
        let four = eight.lowHalf + eight.highHalf
        let two = four.lowHalf + four.highHalf
        return two.x + two.y
    }

    /// The largest of the 16 lanes.
    @inline(__always)
    var largest: Float {
        let eight = lowHalf.replacing(with: highHalf, where: highHalf .> lowHalf)
        let four = eight.lowHalf.replacing(
            with: eight.highHalf, where: eight.highHalf .> eight.lowHalf)
        return Swift.max(Swift.max(four[0], four[1]), Swift.max(four[2], four[3]))
    }
}

/// The elementwise exponential, relative error below 2e-7 for −87 ≤ x ≤ 88; arguments outside are clamped.
///
/// e^x = 2^n · e^r with n = round(x / ln 2) and |r| ≤ ln 2 / 2. Adding 1.5 · 2^23 rounds to an integer and leaves
/// it in the low bits, from where a shift moves it into the exponent of 2^n. NaN stays NaN, whatever its payload.
@inline(__always)
func exponential(_ argument: Lanes) -> Lanes {
    var x = argument
    x.replace(with: -87, where: x .< -87)
    x.replace(with: 88, where: x .> 88)
    let rounder = Lanes(repeating: 12_582_912)
    let shifted = rounder.addingProduct(x, Lanes(repeating: 1.442_695_04))
    let n = shifted - rounder
    let r = x.addingProduct(n, Lanes(repeating: -0.693_359_375))
        .addingProduct(n, Lanes(repeating: 2.121_944_4e-4))
    var p = Lanes(repeating: 1.987_569_15e-4)
    p = Lanes(repeating: 1.398_199_95e-3).addingProduct(p, r)
    p = Lanes(repeating: 8.333_451_9e-3).addingProduct(p, r)
    p = Lanes(repeating: 4.166_579_6e-2).addingProduct(p, r)
    p = Lanes(repeating: 1.666_666_55e-1).addingProduct(p, r)
    p = Lanes(repeating: 5.000_000_1e-1).addingProduct(p, r)
    p = (r + 1).addingProduct(p, r * r)
    let exponent = (unsafeBitCast(shifted, to: SIMD16<Int32>.self) &+ 127) &<< 23
    return p * unsafeBitCast(exponent, to: Lanes.self)
}
