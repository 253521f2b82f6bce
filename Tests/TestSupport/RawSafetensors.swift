import Foundation

/// A tensor of any dtype as it stands in a safetensors file: for files this package reads but does not write.
public struct RawTensor: Sendable {
    /// The name.
    public var name: String
    /// The dtype's text, such as `BOOL`.
    public var dtype: String
    /// The shape; empty for a scalar.
    public var shape: [Int]
    /// Little-endian elements.
    public var bytes: [UInt8]

    /// A tensor of any dtype.
    public init(_ name: String, dtype: String, shape: [Int], bytes: [UInt8]) {
        self.name = name
        self.dtype = dtype
        self.shape = shape
        self.bytes = bytes
    }

    /// An F32 tensor.
    public init(_ name: String, shape: [Int], _ values: [Float]) {
        let bytes = values.flatMap { value in
            (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) }
        }
        self.init(name, dtype: "F32", shape: shape, bytes: bytes)
    }
}

/// The bytes of a safetensors file that holds `tensors` in that order.
public func rawSafetensors(_ tensors: [RawTensor]) -> [UInt8] {
    var offset = 0
    let members = tensors.map { tensor in
        defer { offset += tensor.bytes.count }
        return "\"\(tensor.name)\":{\"dtype\":\"\(tensor.dtype)\",\"shape\":\(tensor.shape),"
            + "\"data_offsets\":[\(offset),\(offset + tensor.bytes.count)]}"
    }
    let header = Array("{\(members.joined(separator: ","))}".utf8)
    let length = (0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) }
    return length + header + tensors.flatMap(\.bytes)
}
