import Foundation

/// One entry of a sweep's `parameters`: a dotted name and the values it takes.
public struct SweepParameter: Sendable {
    /// How a parameter's values are given.
    public enum Domain: Sendable {
        /// A list, one element when it was written as `value`.
        case values([ConfigurationNode])
        /// An interval to draw from; only for random sweeps.
        case interval(Distribution, minimum: Double, maximum: Double)
    }

    /// How numbers are drawn from an interval.
    public enum Distribution: String, CaseIterable, Sendable {
        /// Numbers, evenly.
        case uniform
        /// Whole numbers, evenly, both ends included.
        case integerUniform = "int_uniform"
        /// Numbers whose logarithm is even; min and max are the numbers, as in W&B; both above 0.
        case logUniform = "log_uniform_values"
    }

    /// The path into the configuration, such as `["task", "function_class"]`.
    public let path: [String]
    /// The values.
    public let domain: Domain
    /// Where the definition begins.
    public let mark: SourceMark

    /// The dotted name.
    public var name: String { path.joined(separator: ".") }

    /// Whether trials differ in this parameter.
    public var isVarying: Bool {
        switch domain {
        case .values(let values): values.count > 1
        case .interval(_, let minimum, let maximum): minimum < maximum
        }
    }

    /// Reads the mapping `parameters`, nested ones included, in the order of the file.
    static func read(_ node: ConfigurationNode, prefix: [String] = []) throws -> [SweepParameter] {
        let title = (["parameters"] + prefix).joined(separator: ".")
        let reader = try ConfigurationReader(node, name: title)
        return try reader.keys.flatMap { key in
            let path = prefix + [key]
            guard let definition = reader.node(key) else {
                throw reader.error(key, "is empty; expected \(Self.forms)")
            }
            if definition.entries == nil {
                throw reader.error(
                    key, "is \(definition.shown); write {value: …} or {values: […]}")
            }
            return try reader.section(key) { try read(definition: $0, path: path) }
        }
    }

    private static let forms = "value, values, min and max, or nested parameters"

    private static func read(
        definition reader: ConfigurationReader, path: [String]
    ) throws -> [SweepParameter] {
        let kinds = ["value", "values", "min", "parameters"].filter { reader.node($0) != nil }
        let mark = reader.mark
        func parameter(_ domain: Domain) -> [SweepParameter] {
            [SweepParameter(path: path, domain: domain, mark: mark)]
        }
        // A misspelled form is reported as the unknown key it is.
        if kinds.isEmpty { _ = (reader.node("max"), reader.node("distribution")) }
        if kinds.isEmpty { try reader.finish() }
        guard kinds.count == 1 else {
            let found = kinds.isEmpty ? "none of them" : kinds.joined(separator: " and ")
            throw ConfigurationError(
                mark, "\(reader.name) has \(found); expected one of \(forms)")
        }
        switch kinds[0] {
        case "value": return parameter(.values([reader.node("value")].compactMap { $0 }))
        case "values": return parameter(.values(try values(reader)))
        case "min": return parameter(try interval(reader))
        default:
            return try reader.node("parameters").map { try read($0, prefix: path) } ?? []
        }
    }

    private static func values(_ reader: ConfigurationReader) throws -> [ConfigurationNode] {
        guard let values = reader.node("values")?.elements, !values.isEmpty else {
            throw reader.error("values", "must be a list with at least one element")
        }
        var seen: Set<JSONValue> = []
        for value in values where !seen.insert(value.json).inserted {
            throw ConfigurationError(
                value.mark, "\(reader.name).values has \(value.shown) more than once; keep one")
        }
        return values
    }

    private static func interval(_ reader: ConfigurationReader) throws -> Domain {
        let minimum = try reader.double("min")
        let maximum = try reader.double("max")
        let isWhole = [reader.node("min"), reader.node("max")].allSatisfy {
            if case .integer = $0?.scalarValue { true } else { false }
        }
        let names = Distribution.allCases.map(\.rawValue)
        let distribution = try reader.choice(
            "distribution", default: isWhole ? Distribution.integerUniform : .uniform,
            accepted: names, Distribution.init(rawValue:))
        if minimum > maximum { throw reader.error("max", "is below min") }
        if distribution == .logUniform && minimum <= 0 {
            throw reader.error("min", "must be above 0 for log_uniform_values")
        }
        if distribution == .integerUniform {
            // Beyond 2^53 a Double no longer holds every whole number.
            let isSmall = max(abs(minimum), abs(maximum)) < 9_007_199_254_740_992
            if !isWhole || !isSmall {
                throw reader.error("min", "and max must be integers below 2^53 for int_uniform")
            }
        }
        return .interval(distribution, minimum: minimum, maximum: maximum)
    }

    /// The value of draw `index` of a random sweep.
    ///
    /// u = the first 53 bits of SHA-256("<seed>/<index>/<name>") / 2^53: each value hangs only on those
    /// three, so that adding a parameter or raising `count` leaves the other draws as they were.
    func draw(seed: Int, index: Int) -> ConfigurationNode {
        let digest = sha256(Data("\(seed)/\(index)/\(name)".utf8))
        let bits = digest.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let u = Double(bits >> 11) * 0x1p-53
        switch domain {
        case .values(let values):
            return values[min(values.count - 1, Int(u * Double(values.count)))]
        case .interval(.integerUniform, let minimum, let maximum):
            let value = min(maximum, minimum + (u * (maximum - minimum + 1)).rounded(.down))
            return .scalar(String(Int(value)), mark: mark)
        case .interval(.uniform, let minimum, let maximum):
            let value = minimum + u * (maximum - minimum)
            return .scalar(ConfigurationNode.yamlText(value), mark: mark)
        case .interval(.logUniform, let minimum, let maximum):
            let value = exp(log(minimum) + u * (log(maximum) - log(minimum)))
            return .scalar(ConfigurationNode.yamlText(value), mark: mark)
        }
    }
}
