import Kernels

extension SafetensorsFile {
    /// Reads a tensor of F32, F16, BF16 or F64 into fp32 memory.
    ///
    /// F64 is rounded to the nearest fp32; the other types are exact.
    ///
    /// - Parameters:
    ///   - name: the tensor.
    ///   - shape: the shape the tensor must have; nil takes any with as many elements as `view`.
    ///   - view: where the elements go; as many as the shape says.
    /// - Throws: ``TensorStorageError`` when the tensor is missing, holds no floats or has another shape.
    public func readFloats(
        _ name: String, shape: [Int]? = nil, into view: FloatView
    ) throws(TensorStorageError) {
        let info = try tensor(named: name)
        if let shape {
            precondition(
                elementCount(of: shape) == view.count, "\(view.count) elements for \(shape)")
            guard info.shape == shape else { throw wrongShape(info, expected: "\(shape) is") }
        }
        guard info.elementCount == view.count else {
            throw wrongShape(info, expected: "\(view.count) elements are")
        }
        let type = info.elementType
        guard [.float32, .float16, .bfloat16, .float64].contains(type) else {
            throw wrongType(info, expected: "F32, F16, BF16 or F64")
        }
        withBytes(of: info) { bytes in
            view.withMutableBytes { target in
                switch type {
                case .float32: target.copyMemory(from: bytes)
                case .float16:
                    convert(bytes, target) { (bits: UInt16) in
                        Float(Float16(bitPattern: UInt16(littleEndian: bits)))
                    }
                case .bfloat16:
                    convert(bytes, target) { (bits: UInt16) in
                        Float(bitPattern: UInt32(UInt16(littleEndian: bits)) << 16)
                    }
                default:
                    convert(bytes, target) { (bits: UInt64) in
                        Float(Double(bitPattern: UInt64(littleEndian: bits)))
                    }
                }
            }
        }
    }

    /// Reads every one of `tensors` (name and shape must agree) into its view.
    ///
    /// Tensors of the file that are not asked for are left alone.
    ///
    /// - Throws: ``TensorStorageError`` about the first tensor that is missing or does not fit.
    public func readFloats(into tensors: [NamedTensor]) throws(TensorStorageError) {
        for tensor in tensors {
            try readFloats(tensor.name, shape: tensor.shape, into: tensor.view)
        }
    }

    /// The elements of a tensor of F32, F16, BF16 or F64 as an array.
    ///
    /// - Throws: ``TensorStorageError`` as ``readFloats(_:shape:into:)`` does.
    public func floats(_ name: String, shape: [Int]? = nil) throws(TensorStorageError) -> [Float] {
        let info = try tensor(named: name)
        if let shape, info.shape != shape { throw wrongShape(info, expected: "\(shape) is") }
        let view = FloatView(zeros: info.elementCount)
        try readFloats(name, shape: shape, into: view)
        return view.array
    }

    /// The elements of a tensor of I64, I32, I16, I8, U32, U16, U8 or BOOL as an array.
    ///
    /// - Parameters:
    ///   - name: the tensor.
    ///   - shape: the shape the tensor must have; nil takes any.
    /// - Throws: ``TensorStorageError`` when the tensor is missing, holds no integers or has another shape.
    public func integers(_ name: String, shape: [Int]? = nil) throws(TensorStorageError) -> [Int64]
    {
        let info = try tensor(named: name)
        if let shape, info.shape != shape { throw wrongShape(info, expected: "\(shape) is") }
        let values: [Int64]? = withBytes(of: info) { bytes in
            switch info.elementType {
            case .int64: widen(bytes, Int64.self)
            case .int32: widen(bytes, Int32.self)
            case .int16: widen(bytes, Int16.self)
            case .int8: widen(bytes, Int8.self)
            case .uint32: widen(bytes, UInt32.self)
            case .uint16: widen(bytes, UInt16.self)
            case .uint8, .bool: widen(bytes, UInt8.self)
            default: nil
            }
        }
        guard let values else {
            throw wrongType(info, expected: "I64, I32, I16, I8, U32, U16, U8 or BOOL")
        }
        return values
    }

    func wrongShape(_ info: TensorInfo, expected: String) -> TensorStorageError {
        TensorStorageError(
            path: path, tensor: info.name,
            "has the shape \(Self.abridged(info.shape)); \(expected) expected.")
    }

    func wrongType(_ info: TensorInfo, expected: String) -> TensorStorageError {
        TensorStorageError(
            path: path, tensor: info.name,
            "has the dtype \(info.elementType.rawValue); \(expected) is expected.")
    }
}

/// Converts element by element; the source may lie at any address, since headers need no alignment.
private func convert<Bits: FixedWidthInteger>(
    _ source: UnsafeRawBufferPointer, _ target: UnsafeMutableRawBufferPointer,
    _ value: (Bits) -> Float
) {
    let step = MemoryLayout<Bits>.size
    let floats = target.bindMemory(to: Float.self)
    for index in floats.indices {
        floats[index] = value(source.loadUnaligned(fromByteOffset: index * step, as: Bits.self))
    }
}

/// Little-endian integers at any address as `Int64`.
private func widen<Element: FixedWidthInteger>(
    _ source: UnsafeRawBufferPointer, _ type: Element.Type
) -> [Int64] {
    let step = MemoryLayout<Element>.size
    return (0..<(source.count / step)).map {
        let bits = source.loadUnaligned(fromByteOffset: $0 * step, as: Element.self)
        return Int64(Element(littleEndian: bits))
    }
}
