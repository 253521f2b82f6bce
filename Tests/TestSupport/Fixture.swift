import Foundation
import TensorStorage

/// The committed test data under Tests/Fixtures.
public enum Fixture {
    /// The directory Tests/Fixtures.
    public static let directory = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Fixtures").path

    /// The path of `name` (such as "parity/odd.safetensors") under ``directory``.
    public static func path(_ name: String) -> String { "\(directory)/\(name)" }

    /// The bytes of the fixture `name`.
    public static func data(_ name: String) throws -> Data {
        try Data(contentsOf: URL(fileURLWithPath: path(name)))
    }

    /// The fixture `name`, a safetensors file.
    public static func tensors(_ name: String) throws -> SafetensorsFile {
        try SafetensorsFile(path: path(name))
    }

    /// The fixture `name`, JSON, as `type`.
    public static func json<Value: Decodable>(_ name: String, as type: Value.Type) throws -> Value {
        try JSONDecoder().decode(type, from: data(name))
    }
}
