import Foundation

extension Trial.Value {
    /// The last component of the dotted name: `learning_rate`.
    public var shortName: String {
        name.split(separator: ".").last.map(String.init) ?? name
    }

    /// The text with a number that has more significant digits rounded to `digits` of them: `1.71e-4` for
    /// `0.00017147298974774265`; other texts, whole numbers included, as they are.
    public func shortText(digits: Int) -> String {
        guard case .number(let value) = ScalarValue(text) else { return text }
        let mantissa = text.prefix { $0 != "e" && $0 != "E" }
        let significant = mantissa.filter(\.isNumber).drop { $0 == "0" }
        return significant.count > digits ? rounded(value, digits: digits) : text
    }
}

/// `value` with `digits` significant digits: plain from 0.001 up to 10000, else with an exponent.
private func rounded(_ value: Double, digits: Int) -> String {
    let scientific = String(format: "%.*e", digits - 1, value).split(separator: "e")
    guard scientific.count == 2, let exponent = Int(scientific[1]) else { return "\(value)" }
    return (-3..<4).contains(exponent)
        ? String(format: "%.*f", max(0, digits - 1 - exponent), value)
        : "\(scientific[0])e\(exponent)"
}
