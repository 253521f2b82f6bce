import Foundation
import Kernels

/// What a safetensors file says about one tensor.
public struct TensorInfo: Sendable, Equatable {
    /// The tensor's name.
    public let name: String
    /// The elements' type.
    public let elementType: TensorElementType
    /// Extents, outermost first; `[]` is a scalar.
    public let shape: [Int]
    /// Where the bytes lie, counted from the end of the header; `count` is elements × bytes per element.
    public let byteRange: Range<Int>

    /// Number of elements: the product of ``shape``.
    public var elementCount: Int { byteRange.count / elementType.byteCount }
}

/// A safetensors file, mapped into memory and checked in full before anything is read from it.
///
/// Format: a little-endian 64-bit header length N (at most 100,000,000), N bytes of JSON that begin with
/// `{`, then the tensors' bytes, row-major and little-endian, without holes or overlaps up to the file's
/// end (https://github.com/huggingface/safetensors). The header's claims are believed only as far as the
/// file's size bears them out, so a damaged file costs an error and no memory.
public final class SafetensorsFile: Sendable {
    /// The largest header a file may have, in bytes.
    public static let headerLimit = 100_000_000

    /// The file's path, as given.
    public let path: String
    /// The tensors, in the order in which their bytes lie in the file.
    public let tensors: [TensorInfo]
    /// The header's `__metadata__`, empty when absent.
    public let metadata: [String: String]
    private let map: MemoryMap
    private let dataStart: Int
    private let indices: [String: Int]

    /// Maps the file at `path` and checks its header against its size.
    ///
    /// - Throws: ``TensorStorageError`` naming file, tensor and problem.
    public init(path: String) throws(TensorStorageError) {
        let map = try MemoryMap(path: path)
        let header = try Self.header(of: map.bytes, path: path)
        do {
            var parser = SafetensorsHeaderParser(header)
            let (entries, metadata) = try parser.parse()
            let dataCount = map.bytes.count - 8 - header.count
            tensors = try Self.check(entries, dataCount: dataCount)
            self.metadata = metadata
        } catch {
            if let tensor = error.tensor {
                throw TensorStorageError(path: path, tensor: tensor, error.text)
            }
            throw TensorStorageError(path: path, error.text)
        }
        self.path = path
        self.map = map
        dataStart = 8 + header.count
        indices = Dictionary(
            uniqueKeysWithValues: tensors.enumerated().map { ($0.element.name, $0.offset) })
    }

    /// What the file says about `name`, or nil when it has no such tensor.
    public subscript(name: String) -> TensorInfo? { indices[name].map { tensors[$0] } }

    /// What the file says about `name`.
    ///
    /// - Throws: ``TensorStorageError`` when the file has no such tensor.
    public func tensor(named name: String) throws(TensorStorageError) -> TensorInfo {
        if let info = self[name] { return info }
        throw TensorStorageError(
            path: path, tensor: name, "is missing; the file has \(Self.list(tensors.map(\.name))).")
    }

    /// The bytes of `info`, a tensor of this file, valid while `body` runs.
    func withBytes<Result, Failure: Error>(
        of info: TensorInfo, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let start = dataStart + info.byteRange.lowerBound
        return try withExtendedLifetime(map) { () throws(Failure) -> Result in
            try body(
                UnsafeRawBufferPointer(
                    rebasing: map.bytes[start..<(start + info.byteRange.count)]))
        }
    }

    // MARK: Checks

    /// The header's bytes, after the checks that need no JSON.
    private static func header(
        of bytes: UnsafeRawBufferPointer, path: String
    ) throws(TensorStorageError) -> [UInt8] {
        guard bytes.count >= 8 else {
            throw TensorStorageError(
                path: path,
                "has \(bytes.count) bytes; a safetensors file begins with a header length of 8 bytes."
            )
        }
        // What a clone without Git LFS has in a model's place.
        guard !bytes.starts(with: "version https://git-lfs".utf8) else {
            throw TensorStorageError(
                path: path,
                "is not a safetensors file but a pointer of Git LFS; fetch the file itself (git lfs pull)."
            )
        }
        let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        guard length <= UInt64(headerLimit) else {
            throw TensorStorageError(
                path: path,
                "claims a header of \(length) bytes; more than \(headerLimit) is refused "
                    + "(is this a safetensors file?).")
        }
        guard Int(length) <= bytes.count - 8 else {
            throw TensorStorageError(
                path: path,
                "claims a header of \(length) bytes but has only \(bytes.count - 8) after the length; "
                    + "it is truncated or not a safetensors file.")
        }
        let header = [UInt8](bytes[8..<(8 + Int(length))])
        guard header.first == UInt8(ascii: "{") else {
            throw TensorStorageError(
                path: path, "has a header that does not begin with {; it is not a safetensors file."
            )
        }
        return header
    }

    /// The entries as checked tensors, ordered by their bytes' place; together they fill `dataCount` bytes.
    private static func check(
        _ entries: [HeaderEntry], dataCount: Int
    ) throws(HeaderProblem) -> [TensorInfo] {
        var tensors: [TensorInfo] = []
        tensors.reserveCapacity(entries.count)
        for entry in entries { tensors.append(try check(entry, dataCount: dataCount)) }
        tensors.sort {
            ($0.byteRange.lowerBound, $0.byteRange.upperBound)
                < ($1.byteRange.lowerBound, $1.byteRange.upperBound)
        }
        var end = 0
        var previous = ""
        for tensor in tensors {
            let begin = tensor.byteRange.lowerBound
            if begin < end {
                throw HeaderProblem(
                    tensor: tensor.name,
                    text: "begins at byte \(begin), inside tensor \(quoted(previous)).")
            }
            if begin > end {
                throw HeaderProblem(
                    tensor: tensor.name,
                    text: "begins at byte \(begin) and leaves a hole from byte \(end).")
            }
            end = tensor.byteRange.upperBound
            previous = tensor.name
        }
        guard end == dataCount else {
            throw HeaderProblem(
                text: "the tensors end at byte \(end) but the file has \(dataCount) bytes of data; "
                    + "\(dataCount - end) too many.")
        }
        return tensors
    }

    /// One entry's type, shape and bytes, checked against each other and against `dataCount`.
    private static func check(
        _ entry: HeaderEntry, dataCount: Int
    ) throws(HeaderProblem) -> TensorInfo {
        func problem(_ text: String) -> HeaderProblem {
            HeaderProblem(tensor: entry.name, text: text)
        }
        guard let elementType = TensorElementType(rawValue: entry.elementType) else {
            throw problem(
                "has the unknown dtype \(quoted(entry.elementType)); known are "
                    + TensorElementType.allCases.map(\.rawValue).joined(separator: ", ") + ".")
        }
        var byteCount = elementType.byteCount
        for extent in entry.shape {
            let (product, overflow) = byteCount.multipliedReportingOverflow(by: extent)
            guard !overflow else {
                throw problem("has the shape \(abridged(entry.shape)), beyond any file's size.")
            }
            byteCount = product
        }
        guard entry.begin <= entry.end else {
            throw problem(
                "has data_offsets that end (\(entry.end)) before they begin (\(entry.begin)).")
        }
        guard entry.end - entry.begin == byteCount else {
            throw problem(
                "has \(entry.end - entry.begin) bytes, but \(elementType.rawValue) of shape "
                    + "\(abridged(entry.shape)) takes \(byteCount).")
        }
        guard entry.end <= dataCount else {
            throw problem(
                "ends at byte \(entry.end) but the file has only \(dataCount) bytes of data; "
                    + "it is truncated.")
        }
        return TensorInfo(
            name: entry.name, elementType: elementType, shape: entry.shape,
            byteRange: entry.begin..<entry.end)
    }

    private static func list(_ names: [String]) -> String {
        if names.isEmpty { return "no tensors" }
        let shown = names.prefix(8).map(quoted).joined(separator: ", ")
        return names.count > 8 ? "\(shown) and \(names.count - 8) more" : shown
    }

    /// A shape for a message; a forged header may hold millions of extents.
    static func abridged(_ shape: [Int]) -> String {
        shape.count <= 16 ? "\(shape)" : "\(shape.prefix(16)) … (\(shape.count) extents)"
    }
}
