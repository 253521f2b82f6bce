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
        let element: StoredElement? =
            switch info.elementType {
            case .float32: .float32
            case .float16: .float16
            case .bfloat16: .bfloat16
            default: nil
            }
        guard let element else { throw wrongType(info, expected: "F32, F16 or BF16") }
        return withBytes(of: info) { bytes in
            StoredMatrix(bytes: bytes, owner: self, element: element, rows: rows, columns: columns)
        }
    }
}
