/// A configuration value with its dotted name.
public struct FlatValue: Hashable, Sendable {
    /// The dotted name, such as `training.optimizer.learning_rate`.
    public let key: String
    /// The value; lists stay whole.
    public let value: JSONValue

    /// Makes a named value.
    public init(key: String, value: JSONValue) {
        self.key = key
        self.value = value
    }
}

extension ConfigurationNode {
    /// Every scalar and list with its dotted name, sorted by name.
    public var flattened: [FlatValue] {
        json.flattened(prefix: "").sorted { $0.key < $1.key }
    }
}

extension JSONValue {
    fileprivate func flattened(prefix: String) -> [FlatValue] {
        guard case .object(let members) = self, !members.isEmpty else {
            return prefix.isEmpty ? [] : [FlatValue(key: prefix, value: self)]
        }
        return members.flatMap { key, value in
            value.flattened(prefix: prefix.isEmpty ? key : "\(prefix).\(key)")
        }
    }
}
