import Foundation
import Kernels

extension SafetensorsFile {
    /// A tensor of F32, F16 or BF16 as a matrix where it lies in the file; the file stays mapped for as long.
    ///
    /// - Parameters:
    ///   - name: the tensor.
    ///   - rows: its first extent, 1 or more.
    ///   - columns: its second extent, 1 or more.
    /// - Throws: ``TensorStorageError`` when the tensor is missing, is of another type or has another shape.
    public func matrix(
        _ name: String, rows: Int, columns: Int
    ) throws(TensorStorageError) -> StoredMatrix {
        let info = try tensor(named: name)
        guard info.shape == [rows, columns] else {
            throw wrongShape(info, expected: "[\(rows), \(columns)] is")
        }
        guard let element = StoredElement(info.elementType) else {
            throw wrongType(info, expected: "F32, F16 or BF16")
        }
        return withBytes(of: info) { bytes in
            StoredMatrix(bytes: bytes, owner: self, element: element, rows: rows, columns: columns)
        }
    }
    /// Whether tensor `name` has the type, the shape and the bytes of tensor `otherName` of `other`.
    ///
    /// - Throws: ``TensorStorageError`` when one of the two is missing.
    public func tensor(
        _ name: String, equals otherName: String, of other: SafetensorsFile
    ) throws(TensorStorageError) -> Bool {
        let (info, otherInfo) = (try tensor(named: name), try other.tensor(named: otherName))
        guard info.elementType == otherInfo.elementType, info.shape == otherInfo.shape else {
            return false
        }
        return withBytes(of: info) { bytes in
            other.withBytes(of: otherInfo) { $0.count == bytes.count && bytes.equals($0) }
        }
    }
}

extension UnsafeRawBufferPointer {
    /// Whether both hold the same bytes; as many of them.
    fileprivate func equals(_ other: UnsafeRawBufferPointer) -> Bool {
        guard let start = baseAddress, let otherStart = other.baseAddress else { return true }
        return memcmp(start, otherStart, count) == 0
    }
}
