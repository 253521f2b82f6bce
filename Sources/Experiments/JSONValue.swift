import Foundation

/// Any JSON value: records, hashes, untyped files.
public enum JSONValue: Hashable, Sendable {
    /// `null`.
    case null
    /// `true` or `false`.
    case boolean(Bool)
    /// A whole number of 64 bits.
    case integer(Int)
    /// Any other number; a NaN or an infinity is written as `null`.
    case number(Double)
    /// A text.
    case string(String)
    /// A list.
    case array([JSONValue])
    /// An object; written with sorted keys.
    case object([String: JSONValue])

    /// A Float by its own shortest text, so that 0.1 is written `0.1` and not `0.10000000149011612`.
    public init(_ value: Float) {
        self = .number(Double(value.description) ?? Double(value))
    }

    /// A list of numbers.
    public init(_ values: [Double]) { self = .array(values.map { .number($0) }) }

    /// The member `key` of an object; nil when absent or no object.
    public subscript(key: String) -> JSONValue? {
        if case .object(let members) = self { return members[key] }
        return nil
    }

    /// The number as a Double; nil for other kinds.
    public var doubleValue: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }

    /// The whole number; nil for other kinds.
    public var integerValue: Int? {
        if case .integer(let value) = self { return value }
        return nil
    }

    /// The text; nil for other kinds.
    public var stringValue: String? {
        if case .string(let value) = self { return value }
        return nil
    }

    /// The elements of a list; nil for other kinds.
    public var arrayValue: [JSONValue]? {
        if case .array(let values) = self { return values }
        return nil
    }
}

extension JSONValue: ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
    ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByNilLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    /// A whole number.
    public init(integerLiteral value: Int) { self = .integer(value) }
    /// A number.
    public init(floatLiteral value: Double) { self = .number(value) }
    /// A text.
    public init(stringLiteral value: String) { self = .string(value) }
    /// `true` or `false`.
    public init(booleanLiteral value: Bool) { self = .boolean(value) }
    /// `null`.
    public init(nilLiteral: ()) { self = .null }
    /// A list.
    public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    /// An object; of repeated keys the last counts.
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(Dictionary(elements, uniquingKeysWith: { $1 }))
    }
}

extension JSONValue: Codable {
    /// Decodes whatever stands there; a number without a fraction becomes an ``integer(_:)``.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let number = try? container.decode(Double.self) {
            // 2^53: above it a Double no longer tells neighbouring integers apart.
            if number.magnitude < 9_007_199_254_740_992, number == number.rounded() {
                self = .integer(Int(number))
            } else if let integer = try? container.decode(Int.self) {
                self = .integer(integer)
            } else {
                self = .number(number)
            }
        } else if let text = try? container.decode(String.self) {
            self = .string(text)
        } else if let value = try? container.decode(Bool.self) {
            self = .boolean(value)
        } else if let values = try? container.decode([JSONValue].self) {
            self = .array(values)
        } else {
            self = .object(try container.decode([String: JSONValue].self))
        }
    }

    /// Encodes the value; NaN and infinities become `null`.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .boolean(let value): try container.encode(value)
        case .integer(let value): try container.encode(value)
        case .number(let value):
            if value.isFinite { try container.encode(value) } else { try container.encodeNil() }
        case .string(let value): try container.encode(value)
        case .array(let values): try container.encode(values)
        case .object(let members): try container.encode(members)
        }
    }

    /// The JSON of an encodable value, its NaN and infinities as `null`.
    public init(encoding value: some Encodable) throws {
        let mark = "\u{0}not finite"
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .iso8601
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: mark, negativeInfinity: mark, nan: mark)
        let data = try encoder.encode(value)
        self = try JSONDecoder().decode(JSONValue.self, from: data).replacing(
            .string(mark), by: nil)
    }

    private func replacing(_ old: JSONValue, by new: JSONValue) -> JSONValue {
        switch self {
        case old: new
        case .array(let values): .array(values.map { $0.replacing(old, by: new) })
        case .object(let members): .object(members.mapValues { $0.replacing(old, by: new) })
        default: self
        }
    }
}

extension JSONValue {
    /// The members of both objects; those of `other` win.
    public func merging(_ other: JSONValue) -> JSONValue {
        guard case .object(let mine) = self, case .object(let theirs) = other else { return other }
        return .object(mine.merging(theirs) { $1 })
    }
}
