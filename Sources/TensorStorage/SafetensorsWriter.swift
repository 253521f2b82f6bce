import Foundation
import Kernels

/// A tensor to be written: name, shape, elements.
public struct SafetensorsContent: Sendable {
    /// Makes the elements of a tensor and hands them on, piece after piece in their order.
    public typealias Pieces = @Sendable (_ write: (FloatView) throws -> Void) throws -> Void

    enum Elements: Sendable {
        case floats(FloatView)
        case pieces(Pieces)
        case integers([Int64])
    }

    let name: String
    let shape: [Int]
    let elements: Elements

    /// An F32 tensor; `view.count` is the product of `shape`. Its memory is read when the file is written.
    public static func floats(_ name: String, shape: [Int], _ view: FloatView) -> Self {
        precondition(
            elementCount(of: shape) == view.count,
            "tensor \(name) of shape \(shape) needs \(elementCount(of: shape)) elements, not \(view.count)"
        )
        return Self(name: name, shape: shape, elements: .floats(view))
    }

    /// An F32 tensor.
    public static func floats(_ tensor: NamedTensor) -> Self {
        Self(name: tensor.name, shape: tensor.shape, elements: .floats(tensor.view))
    }

    /// An F32 tensor that may be larger than memory: its elements are made while the file is written.
    ///
    /// Tensors that stand before it have been written when `pieces` is called and those behind it have not, so that it
    /// may fill the memory of theirs.
    public static func floats(
        _ name: String, shape: [Int], pieces: @escaping Pieces
    ) -> Self {
        Self(name: name, shape: shape, elements: .pieces(pieces))
    }

    /// An I64 tensor; `values.count` is the product of `shape`.
    public static func integers(_ name: String, shape: [Int], _ values: [Int64]) -> Self {
        precondition(
            elementCount(of: shape) == values.count,
            "tensor \(name) of shape \(shape) needs \(elementCount(of: shape)) elements, not \(values.count)"
        )
        return Self(name: name, shape: shape, elements: .integers(values))
    }

    var outline: TensorOutline {
        let elementType: TensorElementType =
            switch elements {
            case .floats, .pieces: .float32
            case .integers: .int64
            }
        return TensorOutline(name: name, elementType: elementType, shape: shape)
    }
}

/// Writes a safetensors file: whole or not at all.
///
/// The bytes go to a file beside `path`, which is synchronised with the disk and then renamed, so a
/// reader sees the old file or the new one and a crash leaves the old one. Equal arguments give equal
/// bytes: tensors stand in the order given, metadata in the order of its keys, and spaces fill the header
/// up to a multiple of 8 bytes. Tensors are written straight from their memory.
///
/// - Parameters:
///   - tensors: the tensors; each name once, and not `__metadata__`.
///   - metadata: strings for the header's `__metadata__`; left out when empty.
///   - path: the file to create or replace; its directory must exist.
/// - Throws: ``TensorStorageError`` when the file cannot be written; nothing is left behind then.
public func writeSafetensors(
    _ tensors: [SafetensorsContent], metadata: [String: String] = [:], to path: String
) throws {
    let header = safetensorsHeader(tensors.map(\.outline), metadata: metadata)
    try replaceFile(path) { file in
        try header.withUnsafeBytes { try file.write($0) }
        for tensor in tensors {
            switch tensor.elements {
            case .floats(let view): try view.withBytes { try file.write($0) }
            case .pieces(let pieces):
                var count = 0
                try pieces { view in
                    try view.withBytes { try file.write($0) }
                    count += view.count
                }
                precondition(
                    count == elementCount(of: tensor.shape),
                    "tensor \(tensor.name) of shape \(tensor.shape) got \(count) elements")
            case .integers(let values): try values.withUnsafeBytes { try file.write($0) }
            }
        }
    }
}

/// What a header says of a tensor but for its place, which follows from the order.
struct TensorOutline {
    let name: String
    let elementType: TensorElementType
    let shape: [Int]

    var byteCount: Int { elementCount(of: shape) * elementType.byteCount }
}

/// The length and the JSON, padded so that the data begins at a multiple of 8 bytes.
func safetensorsHeader(
    _ tensors: [TensorOutline], metadata: [String: String]
) -> [UInt8] {
    var members: [String] = []
    if !metadata.isEmpty {
        let pairs = metadata.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        let text = pairs.map { "\(jsonString($0.key)):\(jsonString($0.value))" }
        members.append("\"__metadata__\":{\(text.joined(separator: ","))}")
    }
    var names: Set<String> = ["__metadata__"]
    var offset = 0
    for tensor in tensors {
        precondition(
            names.insert(tensor.name).inserted,
            "the tensor name \(tensor.name) is reserved or used twice")
        let shape = tensor.shape.map(String.init).joined(separator: ",")
        let end = offset + tensor.byteCount
        members.append(
            "\(jsonString(tensor.name)):{\"dtype\":\"\(tensor.elementType.rawValue)\","
                + "\"shape\":[\(shape)],\"data_offsets\":[\(offset),\(end)]}")
        offset = end
    }
    var json = [UInt8]("{\(members.joined(separator: ","))}".utf8)
    json.append(contentsOf: repeatElement(UInt8(ascii: " "), count: (8 - json.count % 8) % 8))
    let length = (0..<8).map { UInt8(truncatingIfNeeded: json.count >> (8 * $0)) }
    return length + json
}

/// `text` as a JSON string.
private func jsonString(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"": result += "\\\""
        case "\\": result += "\\\\"
        case "\n": result += "\\n"
        case "\r": result += "\\r"
        case "\t": result += "\\t"
        case "\u{0}"..<"\u{20}":
            let digits = String(scalar.value, radix: 16)
            result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result + "\""
}
