import Kernels

/// A tensor whose elements are made while the file is written.
public struct StreamedTensor: Sendable, Hashable {
    /// The tensor's name.
    public let name: String
    /// Extents, outermost first.
    public let shape: [Int]
    /// What the elements are stored as.
    public let element: StoredElement

    /// Names a tensor of `shape`.
    public init(name: String, shape: [Int], element: StoredElement) {
        self.name = name
        self.shape = shape
        self.element = element
    }

    /// Bytes the elements take in the file.
    public var byteCount: Int { elementCount(of: shape) * element.byteCount }

    fileprivate var outline: TensorOutline {
        TensorOutline(name: name, elementType: element.elementType, shape: shape)
    }
}

/// A safetensors file whose elements are made piece by piece, so that it may be larger than memory.
public struct SafetensorsStream: Sendable {
    /// Elements of a piece; the last one of a tensor may have fewer.
    public static let pieceSize = 1 << 18

    private struct Piece: Sendable {
        let tensor: Int
        let range: Range<Int>
    }

    /// Memory for one piece: the numbers, and the bytes they become.
    private struct Desk: Sendable {
        let numbers = FloatView(zeros: SafetensorsStream.pieceSize)
        let halves = BufferView<UInt16>(zeros: SafetensorsStream.pieceSize)
    }

    private let path: String
    private let tensors: [StreamedTensor]
    private let metadata: [String: String]

    /// A file to be written.
    ///
    /// - Parameters:
    ///   - path: the file to create or replace; its directory must exist.
    ///   - tensors: the tensors in their order; each name once, and not `__metadata__`.
    ///   - metadata: strings for the header's `__metadata__`; left out when empty.
    public init(path: String, tensors: [StreamedTensor], metadata: [String: String] = [:]) {
        self.path = path
        self.tensors = tensors
        self.metadata = metadata
    }

    /// Writes the file: whole or not at all, see ``writeSafetensors(_:metadata:to:)``.
    ///
    /// Numbers are rounded to the nearest that the tensor's type has, ties to even.
    ///
    /// - Parameters:
    ///   - pool: who makes and rounds the elements.
    ///   - elements: fills `target` with the fp32 elements `range` of tensor number `tensor`; called on any worker, in
    ///     any order. `range` begins at a multiple of ``pieceSize``.
    ///   - wrote: told how many bytes of elements came to the file since its last call; what it throws ends the writing.
    /// - Throws: ``TensorStorageError`` when the file cannot be written or a finite number has none near it in the
    ///   tensor's type; nothing is left behind then.
    public func write(
        pool: WorkerPool,
        elements: @Sendable (_ tensor: Int, _ range: Range<Int>, _ target: FloatView) -> Void,
        wrote: (_ bytes: Int) throws -> Void = { _ in }
    ) throws {
        let pieces = tensors.indices.flatMap { tensor in
            let count = elementCount(of: tensors[tensor].shape)
            return stride(from: 0, to: count, by: Self.pieceSize).map {
                Piece(tensor: tensor, range: $0..<min(count, $0 + Self.pieceSize))
            }
        }
        let desks = (0..<max(1, min(pool.workerCount, pieces.count))).map { _ in Desk() }
        let header = safetensorsHeader(tensors.map(\.outline), metadata: metadata)
        try replaceFile(path) { file in
            try header.withUnsafeBytes { try file.write($0) }
            for start in stride(from: 0, to: pieces.count, by: desks.count) {
                let round = pieces[start..<min(pieces.count, start + desks.count)]
                let overflows = pool.map(Array(zip(round, desks))) { piece, desk in
                    let numbers = desk.numbers[0..<piece.range.count]
                    elements(piece.tensor, piece.range, numbers)
                    return rounded(numbers, into: desk.halves, as: tensors[piece.tensor].element)
                }
                for (piece, isOverflow) in zip(round, overflows) where isOverflow {
                    throw overflow(tensors[piece.tensor])
                }
                for (piece, desk) in zip(round, desks) {
                    try write(piece, desk, to: file)
                }
                try wrote(round.reduce(0) { $0 + byteCount(of: $1) })
            }
        }
    }

    private func byteCount(of piece: Piece) -> Int {
        piece.range.count * tensors[piece.tensor].element.byteCount
    }

    private func write(_ piece: Piece, _ desk: Desk, to file: ReplacedFile) throws {
        if tensors[piece.tensor].element == .float32 {
            try desk.numbers[0..<piece.range.count].withBytes { try file.write($0) }
        } else {
            try desk.halves[0..<piece.range.count].withBytes { try file.write($0) }
        }
    }

    private func overflow(_ tensor: StreamedTensor) -> TensorStorageError {
        TensorStorageError(
            path: path, tensor: tensor.name,
            "has numbers beyond the largest of \(tensor.outline.elementType.rawValue); store the model as "
                + "\(tensor.element == .float16 ? "bfloat16 or " : "")float32.")
    }
}

/// Rounds `numbers` to the nearest of `element`, ties to even, as bits in `halves`; fp32 stays where it is.
///
/// - Returns: whether a finite number became infinite.
private func rounded(
    _ numbers: FloatView, into halves: BufferView<UInt16>, as element: StoredElement
) -> Bool {
    switch element {
    case .float32: false
    case .float16: roundEach(numbers, into: halves, infinity: 0x7c00) { Float16($0).bitPattern }
    case .bfloat16: roundEach(numbers, into: halves, infinity: 0x7f80, bfloat16Bits)
    }
}

/// The bits of `value` as bf16; a NaN stays one.
@inline(__always)
private func bfloat16Bits(_ value: Float) -> UInt16 {
    let bits = value.bitPattern
    let rounded = (bits &+ 0x7fff &+ ((bits &>> 16) & 1)) &>> 16
    // Adding to a NaN's bits could carry into its sign.
    return UInt16(truncatingIfNeeded: value.isNaN ? (bits &>> 16) | 0x40 : rounded)
}

/// - Parameter infinity: the bits of the target type's infinity.
@inline(__always)
private func roundEach(
    _ numbers: FloatView, into halves: BufferView<UInt16>, infinity: UInt16,
    _ bits: (Float) -> UInt16
) -> Bool {
    var overflows: UInt16 = 0
    numbers.withSpan { numbers in
        halves.withMutableSpan { halves in
            for index in numbers.indices {
                let number = numbers[index]
                let half = bits(number)
                halves[index] = half
                let isNew = half & 0x7fff == infinity && number.magnitude < .infinity
                overflows |= isNew ? 1 : 0
            }
        }
    }
    return overflows != 0
}
