import Kernels

/// The number of elements of a row-major tensor of `shape`; 1 for a scalar (`[]`).
///
/// Every extent must be 0 or more and the product must fit an `Int`.
public func elementCount(of shape: [Int]) -> Int {
    shape.reduce(1) { product, extent in
        precondition(extent >= 0, "the shape \(shape) has a negative extent")
        return product * extent
    }
}

/// A tensor's name and shape together with the memory that holds its elements (row-major).
public struct NamedTensor: Sendable {
    /// The tensor's name, as in a checkpoint.
    public let name: String
    /// Extents, outermost first; `[]` is a scalar.
    public let shape: [Int]
    /// The elements; `view.count` is the product of `shape`.
    public let view: FloatView

    /// Names `view`, whose count must be the product of `shape`.
    public init(name: String, shape: [Int], view: FloatView) {
        precondition(
            elementCount(of: shape) == view.count,
            "tensor \(name) of shape \(shape) needs \(elementCount(of: shape)) elements, not \(view.count)"
        )
        self.name = name
        self.shape = shape
        self.view = view
    }
}

/// Where named tensors lie in one buffer.
///
/// Parameters, gradients and the optimizer's two moments are four buffers with one layout, so that an
/// update is one loop over flat memory and a checkpoint is a walk over ``entries``. Every tensor begins
/// at a multiple of ``alignment`` elements; the gaps are zero in all four buffers and stay zero.
public struct TensorLayout: Sendable, Equatable {
    /// One tensor's place.
    public struct Entry: Sendable, Equatable {
        /// The tensor's name.
        public let name: String
        /// Extents, outermost first.
        public let shape: [Int]
        /// Index of the first element in the buffer.
        public let offset: Int
        /// Number of elements.
        public let count: Int

        /// The elements' indices in the buffer.
        public var range: Range<Int> { offset..<(offset + count) }
    }

    /// The tensors, in the order given.
    public let entries: [Entry]
    /// Elements a buffer of this layout has, gaps included.
    public let count: Int
    /// Elements of all tensors, gaps left out: the number of parameters.
    public let elementCount: Int
    /// Every offset is a multiple of this many elements.
    public let alignment: Int
    private let indices: [String: Int]

    /// Lays tensors out one after another.
    ///
    /// - Parameters:
    ///   - tensors: names (each used once) and shapes, in order.
    ///   - alignment: elements to which offsets are rounded up; 16 fp32 are a cache line of 64 bytes.
    public init(_ tensors: [(name: String, shape: [Int])], alignment: Int = 16) {
        precondition(alignment >= 1, "an alignment is 1 or more elements, not \(alignment)")
        var entries: [Entry] = []
        var indices: [String: Int] = [:]
        var end = 0
        for (name, shape) in tensors {
            let offset = (end + alignment - 1) / alignment * alignment
            let count = TensorStorage.elementCount(of: shape)
            precondition(indices[name] == nil, "the name \(name) is used twice in one layout")
            indices[name] = entries.count
            entries.append(Entry(name: name, shape: shape, offset: offset, count: count))
            end = offset + count
        }
        self.entries = entries
        self.indices = indices
        self.alignment = alignment
        count = (end + alignment - 1) / alignment * alignment
        elementCount = entries.reduce(0) { $0 + $1.count }
    }

    /// The entry called `name`, or nil.
    public subscript(name: String) -> Entry? { indices[name].map { entries[$0] } }

    /// The tensor `name` inside `buffer`, a view of ``count`` elements; the name must be in the layout.
    public func view(_ name: String, in buffer: FloatView) -> FloatView {
        precondition(buffer.count == count, "\(buffer.count) elements for a layout of \(count)")
        guard let entry = self[name] else {
            preconditionFailure("the layout has no tensor \(name)")
        }
        return buffer[entry.range]
    }

    /// All tensors inside `buffer`, a view of ``count`` elements, in the layout's order.
    public func tensors(in buffer: FloatView) -> [NamedTensor] {
        precondition(buffer.count == count, "\(buffer.count) elements for a layout of \(count)")
        return entries.map {
            NamedTensor(name: $0.name, shape: $0.shape, view: buffer[$0.range])
        }
    }
}
