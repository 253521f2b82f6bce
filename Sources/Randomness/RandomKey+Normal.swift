/// Standard normals by the Box–Muller transform, eight blocks at a time.
///
/// Every operation is one correctly rounded IEEE operation in double (no fused multiply-add, no
/// libm), so the numbers are the same bits on every CPU; the series below are cut where the next term
/// is under 1e-13, five orders below the rounding to Float at the end.
extension RandomKey {
    /// Fills `values` with independent standard normals.
    ///
    /// Value 4i + 2j and its successor come from words 2j and 2j + 1 of block i:
    /// r = √(−2 ln((w₂ⱼ + ½) 2⁻³²)), φ = 2π w₂ⱼ₊₁ 2⁻³², values r cos φ and r sin φ. A shorter span
    /// holds the beginning of a longer one. The largest possible magnitude is √(66 ln 2) = 6.76.
    public func fillNormals(_ values: inout MutableSpan<Float>) {
        var block: UInt32 = 0
        var start = 0
        let count = values.count
        while start < count {
            let words = eightBlocks(from: block)
            let (cosine0, sine0) = BoxMuller.pair(words.0, words.1)
            let (cosine1, sine1) = BoxMuller.pair(words.2, words.3)
            if start + 32 <= count {
                for lane in 0..<8 {
                    values[start + 4 * lane] = cosine0[lane]
                    values[start + 4 * lane + 1] = sine0[lane]
                    values[start + 4 * lane + 2] = cosine1[lane]
                    values[start + 4 * lane + 3] = sine1[lane]
                }
            } else {
                for offset in 0..<(count - start) {
                    let lane = offset / 4
                    let pair =
                        offset % 4 < 2 ? (cosine0[lane], sine0[lane]) : (cosine1[lane], sine1[lane])
                    values[start + offset] = offset % 2 == 0 ? pair.0 : pair.1
                }
            }
            block &+= 8
            start += 32
        }
    }

    /// `count` independent standard normals; see ``fillNormals(_:)``.
    public func normals(_ count: Int) -> [Float] {
        var values = [Float](repeating: 0, count: count)
        var span = values.mutableSpan
        fillNormals(&span)
        return values
    }

    /// Fills `values` with independent numbers uniform on [0, 1), multiples of 2⁻²⁴.
    ///
    /// Value 4i + j is the high 24 bits of word j of block `first` + i.
    public func fillUniforms(_ values: inout MutableSpan<Float>, from first: Int = 0) {
        var words = SIMD4<UInt32>()
        for index in 0..<values.count {
            if index % 4 == 0 { words = block(UInt32(truncatingIfNeeded: first + index / 4)) }
            values[index] = Float(words[index % 4] >> 8) * 0x1p-24
        }
    }
}

/// The Box–Muller transform on eight pairs of 32-bit words.
enum BoxMuller {
    typealias Lanes = SIMD8<Double>

    /// (r cos φ, r sin φ) for radius words and angle words of 32 bits in 64-bit lanes.
    @inline(__always)
    static func pair(
        _ radiusWords: SIMD8<UInt64>, _ angleWords: SIMD8<UInt64>
    ) -> (SIMD8<Float>, SIMD8<Float>) {
        let unit = (exactDouble(radiusWords) + 0.5) * 0x1p-32
        let radius = (logarithm(unit) * -2).squareRoot()
        let (cosine, sine) = cosineAndSine(turns: angleWords)
        return (SIMD8<Float>(radius * cosine), SIMD8<Float>(radius * sine))
    }

    /// ln x for normal x > 0: x = 2ᵉ m with m in [√½, √2), ln m = 2 artanh((m − 1) / (m + 1)).
    @inline(__always)
    static func logarithm(_ x: Lanes) -> Lanes {
        let bits = bitPattern(x)
        // Halving the range at √½ keeps |s| ≤ 0.1716; x near 1 has e = 0, so nothing cancels there.
        let shifted = bits &+ SIMD8(repeating: 0x3FF0_0000_0000_0000 &- 0x3FE6_A09E_667F_3BCD)
        let exponent = exactDouble(shifted &>> 52) - 1023
        let mantissaBits =
            (shifted & SIMD8(repeating: 0x000F_FFFF_FFFF_FFFF))
            &+ SIMD8(repeating: 0x3FE6_A09E_667F_3BCD)
        let m = double(mantissaBits)
        let s = (m - 1) / (m + 1)
        let t = s * s
        var series = Lanes(repeating: 1.0 / 15)
        series = series * t + 1.0 / 13
        series = series * t + 1.0 / 11
        series = series * t + 1.0 / 9
        series = series * t + 1.0 / 7
        series = series * t + 1.0 / 5
        series = series * t + 1.0 / 3
        series = series * t + 1
        return exponent * 0.693_147_180_559_945_3 + (s + s) * series
    }

    /// cos and sin of 2π w 2⁻³² for 32-bit words w: quarter turns by integers, the rest, at most an
    /// eighth of a turn, by Taylor's series.
    @inline(__always)
    static func cosineAndSine(turns words: SIMD8<UInt64>) -> (Lanes, Lanes) {
        let rounded = words &+ SIMD8(repeating: 1 << 29)
        let quarter = (rounded &>> 30) & SIMD8(repeating: 3)
        let rest = exactDouble(rounded & SIMD8(repeating: (1 << 30) - 1)) - 0x1p29
        let angle = rest * (Double.pi / 2 * 0x1p-30)
        let t = angle * angle
        var sine = Lanes(repeating: 1.0 / 6_227_020_800)
        sine = sine * t - 1.0 / 39_916_800
        sine = sine * t + 1.0 / 362_880
        sine = sine * t - 1.0 / 5040
        sine = sine * t + 1.0 / 120
        sine = sine * t - 1.0 / 6
        sine = (sine * t + 1) * angle
        var cosine = Lanes(repeating: -1.0 / 87_178_291_200)
        cosine = cosine * t + 1.0 / 479_001_600
        cosine = cosine * t - 1.0 / 3_628_800
        cosine = cosine * t + 1.0 / 40320
        cosine = cosine * t - 1.0 / 720
        cosine = cosine * t + 1.0 / 24
        cosine = cosine * t - 0.5
        cosine = cosine * t + 1
        // An odd quarter swaps the two; quarters 1, 2 negate the cosine, quarters 2, 3 the sine.
        let odd = SIMD8(repeating: 0) &- (quarter & SIMD8(repeating: 1))
        let difference = (bitPattern(cosine) ^ bitPattern(sine)) & odd
        let cosineSign = ((quarter &+ SIMD8(repeating: 1)) & SIMD8(repeating: 2)) &<< 62
        let sineSign = (quarter & SIMD8(repeating: 2)) &<< 62
        return (
            double(bitPattern(cosine) ^ difference ^ cosineSign),
            double(bitPattern(sine) ^ difference ^ sineSign)
        )
    }

    /// Integers below 2⁵² as doubles, exactly: their bits become the mantissa of 2⁵² + w.
    @inline(__always)
    static func exactDouble(_ words: SIMD8<UInt64>) -> Lanes {
        double(words | SIMD8(repeating: 0x4330_0000_0000_0000)) - 0x1p52
    }

    /// The doubles with these bits; the loop compiles to nothing.
    @inline(__always)
    static func double(_ bits: SIMD8<UInt64>) -> Lanes {
        var result = Lanes()
        for lane in 0..<8 { result[lane] = Double(bitPattern: bits[lane]) }
        return result
    }

    /// The bits of these doubles; the loop compiles to nothing.
    @inline(__always)
    static func bitPattern(_ values: Lanes) -> SIMD8<UInt64> {
        var result = SIMD8<UInt64>()
        for lane in 0..<8 { result[lane] = values[lane].bitPattern }
        return result
    }
}
