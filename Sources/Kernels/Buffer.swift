import Foundation

/// A buffer of fp32 numbers.
public typealias FloatBuffer = Buffer<Float>

/// A view of fp32 numbers: how everything numeric travels between rooms.
public typealias FloatView = BufferView<Float>

/// A view of indices: first positions of sequences, token ids.
public typealias IndexView = BufferView<Int32>

/// The one owner of a stretch of memory: aligned to 64 bytes, zeroed at birth, freed with its owner.
///
/// Everything numeric in the project lives in such buffers and is passed around as ``BufferView``.
public final class Buffer<Element: BitwiseCopyable & Sendable>: @unchecked Sendable {
    /// Number of elements.
    public let count: Int
    let base: UnsafeMutablePointer<Element>

    private static var hugePage: Int { 1 << 21 }

    /// Allocates `count` zeros.
    ///
    /// - Parameter count: number of elements, 0 or more.
    public init(count: Int) {
        precondition(count >= 0, "a buffer has 0 or more elements, not \(count)")
        self.count = count
        let bytes = max(64, (count * MemoryLayout<Element>.stride + 63) / 64 * 64)
        let isLarge = bytes >= 2 * Self.hugePage
        let raw = UnsafeMutableRawPointer.allocate(
            byteCount: bytes, alignment: isLarge ? Self.hugePage : 64)
        // Fewer page faults, and a product that walks down a matrix finds its addresses. A kernel without such pages refuses.
        if isLarge { madvise(raw, bytes, MADV_HUGEPAGE) }
        memset(raw, 0, bytes)
        base = raw.bindMemory(to: Element.self, capacity: bytes / MemoryLayout<Element>.stride)
    }

    deinit { UnsafeMutableRawPointer(base).deallocate() }

    /// The whole buffer as a view.
    public var view: BufferView<Element> { BufferView(owner: self, pointer: base, count: count) }
}

/// A contiguous range of a ``Buffer``: a value that keeps its owner alive.
///
/// Views of one buffer may be used on several threads as long as no element is written by one thread
/// while another touches it; the engine guarantees that by giving every lane and worker its own memory.
public struct BufferView<Element: BitwiseCopyable & Sendable>: @unchecked Sendable {
    let owner: Buffer<Element>
    let pointer: UnsafeMutablePointer<Element>
    /// Number of elements.
    public let count: Int

    init(owner: Buffer<Element>, pointer: UnsafeMutablePointer<Element>, count: Int) {
        self.owner = owner
        self.pointer = pointer
        self.count = count
    }

    /// A view of fresh memory that holds `values`.
    public init(_ values: [Element]) {
        self = Buffer(count: values.count).view
        copy(from: values)
    }

    /// A view of `count` fresh zeros.
    public init(zeros count: Int) { self = Buffer(count: count).view }

    /// The sub-view of `range`, which must lie inside `0..<count`.
    public subscript(range: Range<Int>) -> BufferView {
        precondition(
            range.lowerBound >= 0 && range.upperBound <= count,
            "range \(range) outside a view of \(count) elements")
        return BufferView(
            owner: owner, pointer: pointer + range.lowerBound, count: range.count)
    }

    /// The element at `index`; checked.
    public subscript(index: Int) -> Element {
        get {
            precondition(index >= 0 && index < count, "index \(index) outside \(count) elements")
            return pointer[index]
        }
        nonmutating set {
            precondition(index >= 0 && index < count, "index \(index) outside \(count) elements")
            pointer[index] = newValue
        }
    }

    /// The elements as an array.
    public var array: [Element] { Array(UnsafeBufferPointer(start: pointer, count: count)) }

    /// Copies `values` (same count) into the view.
    public func copy(from values: [Element]) {
        precondition(values.count == count, "\(values.count) values for \(count) elements")
        values.withUnsafeBufferPointer { source in
            if let start = source.baseAddress { pointer.update(from: start, count: count) }
        }
    }

    /// Copies the elements of `source` (same count) into the view.
    public func copy(from source: BufferView) {
        precondition(source.count == count, "\(source.count) values for \(count) elements")
        pointer.update(from: source.pointer, count: count)
    }

    /// Sets every element to `value`.
    public func fill(_ value: Element) { pointer.update(repeating: value, count: count) }

    /// Calls `body` with the elements as a read-only span.
    public func withSpan<Result>(_ body: (Span<Element>) throws -> Result) rethrows -> Result {
        try body(UnsafeBufferPointer(start: pointer, count: count).span)
    }

    /// Calls `body` with the elements as a mutable span.
    public func withMutableSpan<Result>(
        _ body: (inout MutableSpan<Element>) throws -> Result
    ) rethrows -> Result {
        var span = UnsafeMutableBufferPointer(start: pointer, count: count).mutableSpan
        return try body(&span)
    }

    /// Calls `body` with the elements' bytes, as they lie in memory (little-endian on every supported CPU).
    public func withBytes<Result>(
        _ body: (UnsafeRawBufferPointer) throws -> Result
    ) rethrows -> Result {
        try body(UnsafeRawBufferPointer(UnsafeBufferPointer(start: pointer, count: count)))
    }

    /// Calls `body` with the elements' bytes for writing.
    public func withMutableBytes<Result>(
        _ body: (UnsafeMutableRawBufferPointer) throws -> Result
    ) rethrows -> Result {
        try body(
            UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(start: pointer, count: count)))
    }
}
