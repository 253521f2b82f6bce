import Kernels

/// The element types of the safetensors format whose elements fill whole bytes; the raw value is the file's spelling.
public enum TensorElementType: String, CaseIterable, Sendable {
    /// One byte, 0 or 1.
    case bool = "BOOL"
    /// Unsigned 8-bit integer.
    case uint8 = "U8"
    /// Signed 8-bit integer.
    case int8 = "I8"
    /// 8-bit float, 5 exponent bits.
    case float8E5M2 = "F8_E5M2"
    /// 8-bit float, 4 exponent bits.
    case float8E4M3 = "F8_E4M3"
    /// 8-bit exponent (the scale of a block format).
    case float8E8M0 = "F8_E8M0"
    /// Unsigned 16-bit integer.
    case uint16 = "U16"
    /// Signed 16-bit integer.
    case int16 = "I16"
    /// IEEE half precision.
    case float16 = "F16"
    /// The upper half of an fp32.
    case bfloat16 = "BF16"
    /// Unsigned 32-bit integer.
    case uint32 = "U32"
    /// Signed 32-bit integer.
    case int32 = "I32"
    /// IEEE single precision.
    case float32 = "F32"
    /// Unsigned 64-bit integer.
    case uint64 = "U64"
    /// Signed 64-bit integer.
    case int64 = "I64"
    /// IEEE double precision.
    case float64 = "F64"
    /// Two fp32: real and imaginary part.
    case complex64 = "C64"

    /// Bytes an element takes.
    public var byteCount: Int {
        switch self {
        case .bool, .uint8, .int8, .float8E5M2, .float8E4M3, .float8E8M0: 1
        case .uint16, .int16, .float16, .bfloat16: 2
        case .uint32, .int32, .float32: 4
        case .uint64, .int64, .float64, .complex64: 8
        }
    }
}

extension StoredElement {
    /// The type of matrix elements that a file calls `type`; nil for types that products do not read.
    public init?(_ type: TensorElementType) {
        guard let found = Self.allCases.first(where: { $0.elementType == type }) else { return nil }
        self = found
    }

    /// What a file calls this type.
    public var elementType: TensorElementType {
        switch self {
        case .float32: .float32
        case .float16: .float16
        case .bfloat16: .bfloat16
        }
    }
}
