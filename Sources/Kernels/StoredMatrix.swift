/// What the elements of a stored matrix are.
public enum StoredElement: String, Sendable, Hashable, CaseIterable {
    /// IEEE single precision.
    case float32
    /// IEEE half precision.
    case float16
    /// The upper half of an fp32.
    case bfloat16

    /// Bytes an element takes.
    public var byteCount: Int { self == .float32 ? 4 : 2 }
}

/// A matrix of weights where it lies: in a buffer, or in a file that is mapped into memory.
///
/// `W: [rows, columns]`, row-major and little-endian, at any address: one row for each output, as torch's Linear and
/// the embedding table have it. Products convert what they read, so that a file of bf16 is never held as fp32.
public struct StoredMatrix: @unchecked Sendable {
    /// Keeps the memory alive.
    private let owner: AnyObject
    let base: UnsafeRawPointer
    /// What the elements are.
    public let element: StoredElement
    /// Outputs.
    public let rows: Int
    /// Inputs.
    public let columns: Int

    /// A matrix of fp32 in `view: [rows, columns]`, read whenever it is used.
    public init(_ view: FloatView, rows: Int, columns: Int) {
        precondition(view.count == rows * columns, "\(view.count) numbers for \(rows) × \(columns)")
        owner = view.owner
        base = UnsafeRawPointer(view.pointer)
        element = .float32
        self.rows = rows
        self.columns = columns
    }

    /// A matrix in memory that belongs to `owner` and stays as it is.
    ///
    /// - Parameters:
    ///   - bytes: `rows · columns` elements.
    ///   - owner: kept for as long as the matrix.
    ///   - element: what the elements are.
    ///   - rows: outputs.
    ///   - columns: inputs.
    public init(
        bytes: UnsafeRawBufferPointer, owner: some AnyObject & Sendable, element: StoredElement,
        rows: Int, columns: Int
    ) {
        precondition(rows > 0 && columns > 0, "a matrix of \(rows) × \(columns)")
        precondition(
            bytes.count == rows * columns * element.byteCount,
            "\(bytes.count) bytes for \(rows) × \(columns) of \(element)")
        guard let base = bytes.baseAddress else { preconditionFailure("a matrix without memory") }
        self.owner = owner
        self.base = base
        self.element = element
        self.rows = rows
        self.columns = columns
    }

    /// Copies row `row` into `target: [columns]` as fp32.
    public func copyRow(_ row: Int, into target: FloatView) {
        precondition(row >= 0 && row < rows, "row \(row) of \(rows)")
        copy(row * columns..<(row + 1) * columns, into: target)
    }

    /// Copies the elements `range`, counted row after row, into `target` as fp32.
    public func copy(_ range: Range<Int>, into target: FloatView) {
        precondition(range.lowerBound >= 0 && range.upperBound <= rows * columns, "\(range)")
        precondition(target.count == range.count, "\(target.count) numbers for \(range)")
        switch element {
        case .float32: copy(Float32Reader(base: base), range, into: target)
        case .float16: copy(Float16Reader(base: base), range, into: target)
        case .bfloat16: copy(BFloat16Reader(base: base), range, into: target)
        }
    }

    @inline(__always)
    private func copy(_ elements: some ElementReader, _ range: Range<Int>, into target: FloatView) {
        for offset in stride(from: 0, to: range.count, by: laneCount) {
            let count = min(laneCount, range.count - offset)
            target.pointer.store(
                elements.lanes(at: range.lowerBound + offset, count: count), at: offset,
                count: count)
        }
    }
}

/// Elements at any address, read as fp32.
protocol ElementReader {
    var base: UnsafeRawPointer { get }
    /// One element.
    func value(at index: Int) -> Float
    /// Sixteen elements that lie side by side.
    func lanes(at index: Int) -> Lanes
    /// Thirty-two elements that lie side by side, rounded to bf16, in pairs.
    func pairs(at index: Int) -> PairLanes
}

extension ElementReader {
    /// The first `count` ≤ 16 lanes from `index` on; the others are 0.
    @inline(__always)
    func lanes(at index: Int, count: Int) -> Lanes {
        if count == laneCount { return lanes(at: index) }
        var result = Lanes(repeating: 0)
        for lane in 0..<count { result[lane] = value(at: index + lane) }
        return result
    }

    @inline(__always)
    func pairs(at index: Int) -> PairLanes {
        PairLanes(neighbours: lanes(at: index), lanes(at: index + laneCount))
    }

    /// The first `count` ≤ 32 elements from `index` on, rounded to bf16, in pairs; the others are 0.
    @inline(__always)
    func pairs(at index: Int, count: Int) -> PairLanes {
        if count == 2 * laneCount { return pairs(at: index) }
        let first = min(count, laneCount)
        return PairLanes(
            neighbours: lanes(at: index, count: first),
            lanes(at: index + first, count: count - first))
    }
}

struct Float32Reader: ElementReader {
    let base: UnsafeRawPointer

    @inline(__always)
    func value(at index: Int) -> Float {
        base.loadUnaligned(fromByteOffset: 4 * index, as: Float.self)
    }

    @inline(__always)
    func lanes(at index: Int) -> Lanes {
        base.loadUnaligned(fromByteOffset: 4 * index, as: Lanes.self)
    }
}

struct BFloat16Reader: ElementReader {
    let base: UnsafeRawPointer

    @inline(__always)
    func value(at index: Int) -> Float {
        let bits = base.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self)
        return Float(bitPattern: UInt32(bits) << 16)
    }

    @inline(__always)
    func lanes(at index: Int) -> Lanes {
        let bits = base.loadUnaligned(fromByteOffset: 2 * index, as: SIMD16<UInt16>.self)
        return unsafeBitCast(
            SIMD16<UInt32>(truncatingIfNeeded: bits) &<< 16, to: Lanes.self)
    }

    /// As they lie there.
    @inline(__always)
    func pairs(at index: Int) -> PairLanes {
        base.loadUnaligned(fromByteOffset: 2 * index, as: PairLanes.self)
    }
}

struct Float16Reader: ElementReader {
    let base: UnsafeRawPointer

    @inline(__always)
    func value(at index: Int) -> Float {
        Float(
            Float16(bitPattern: base.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self)))
    }

    /// Exponent and significand move into place as one integer; the product with 2¹¹² mends the exponent's bias,
    /// subnormal numbers included, and what was all ones (infinity, NaN) is made so again.
    @inline(__always)
    func lanes(at index: Int) -> Lanes {
        let bits = SIMD16<UInt32>(
            truncatingIfNeeded: base.loadUnaligned(
                fromByteOffset: 2 * index, as: SIMD16<UInt16>.self))
        let magnitude = (bits & 0x7fff) &<< 13
        let scaled = unsafeBitCast(magnitude, to: Lanes.self) * 0x1p112
        let isSpecial = (bits & 0x7c00) .== 0x7c00
        let whole = unsafeBitCast(scaled, to: SIMD16<UInt32>.self)
            .replacing(with: magnitude | 0x7f80_0000, where: isSpecial)
        return unsafeBitCast(whole | ((bits & 0x8000) &<< 16), to: Lanes.self)
    }
}
