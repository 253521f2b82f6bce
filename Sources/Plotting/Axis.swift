import Foundation

/// A labelled tick.
struct AxisTick: Equatable {
    var value: Double
    var label: String
}

extension AxisScale {
    /// Whether an axis of this scale has a place for `value`.
    func shows(_ value: Double) -> Bool { value.isFinite && (self == .linear || value > 0) }
}

/// One axis: its scale, its limits, and how a value becomes a share of its length.
struct Axis: Equatable {
    let scale: AxisScale
    let lower: Double
    let upper: Double

    /// How many decades an automatic logarithmic range shows at most.
    static let mostDecades = 6.0

    /// An axis with given limits, or one that fits `values` with a margin on either side when
    /// `range` is nil. Nil without a single value that could be drawn.
    init?(
        scale: AxisScale, range: ClosedRange<Double>?, fitting values: [Double], margin: Double
    ) {
        self.scale = scale
        if let range {
            lower = range.lowerBound
            upper = range.upperBound
            return
        }
        let drawable = values.filter(scale.shows)
        guard let least = drawable.min(), let largest = drawable.max() else { return nil }
        switch scale {
        case .linear:
            // A constant still gets an axis around it.
            let span = largest > least ? largest - least : max(abs(largest), 1)
            let padding = largest > least ? margin * span : 0.5 * span
            lower = least - padding
            upper = largest + padding
        case .log10:
            let top = log10(largest)
            let bottom = max(log10(least), top - Axis.mostDecades)
            let padding = top > bottom ? margin * (top - bottom) : 0.5
            lower = pow(10, bottom - padding)
            upper = pow(10, top + padding)
        }
    }

    /// The share of the axis's length at which `value` stands; minus infinity for a value that a
    /// logarithmic axis has no place for.
    func fraction(_ value: Double) -> Double {
        switch scale {
        case .linear: (value - lower) / (upper - lower)
        case .log10:
            value > 0
                ? (log10(value) - log10(lower)) / (log10(upper) - log10(lower)) : -.infinity
        }
    }

    /// About `count` labelled ticks at round values. `wholeNumbers` keeps a linear axis of
    /// counts (in-context examples, steps) from showing fractions.
    func ticks(about count: Int, wholeNumbers: Bool = false) -> [AxisTick] {
        if scale == .log10, let ticks = decadeTicks(about: count) { return ticks }
        let step = Axis.niceStep((upper - lower) / Double(max(count, 1)), whole: wholeNumbers)
        let slack = 1e-9 * step
        let first = ((lower - slack) / step).rounded(.up)
        let last = ((upper + slack) / step).rounded(.down)
        guard last >= first else { return [] }
        let values = stride(from: first, through: last, by: 1).map { $0 * step }
        return Axis.labelled(values, step: step)
    }

    /// Unlabelled ticks between the decades of a logarithmic axis; none on a linear axis.
    func minorTicks() -> [Double] {
        guard scale == .log10 else { return [] }
        let first = Int(log10(lower).rounded(.down))
        let last = Int(log10(upper).rounded(.up))
        guard last - first <= 12 else { return [] }
        return (first...last).flatMap { exponent in
            (2...9).map { Double($0) * pow(10, Double(exponent)) }
        }.filter { $0 >= lower && $0 <= upper }
    }

    /// Whole decades; with 2 and 5 between them where there are few; nil where even those are
    /// fewer than three and the axis is better labelled like a linear one.
    private func decadeTicks(about count: Int) -> [AxisTick]? {
        let first = Int((log10(lower) - 1e-9).rounded(.up))
        let last = Int((log10(upper) + 1e-9).rounded(.down))
        let decades = first <= last ? Array(first...last) : []
        if decades.count >= 3 {
            let every = max(1, Int((Double(decades.count) / Double(max(count, 2))).rounded(.up)))
            let shown = decades.filter { $0 % every == 0 }
            return shown.map { AxisTick(value: pow(10, Double($0)), label: decadeLabel($0)) }
        }
        var values: [Double] = []
        for exponent in (first - 1)...(last + 1) {
            // Dividing by a power of ten keeps 0.2 the 0.2 a reader would write.
            let power = pow(10, Double(abs(exponent)))
            values += [1.0, 2, 5].map { exponent < 0 ? $0 / power : $0 * power }
        }
        values = values.filter { $0 >= lower * (1 - 1e-9) && $0 <= upper * (1 + 1e-9) }
        guard values.count >= 3 else { return nil }
        return values.map { AxisTick(value: $0, label: Axis.plainLabel($0)) }
    }

    private func decadeLabel(_ exponent: Int) -> String {
        let plain = (log10(lower) >= -3.5) && (log10(upper) <= 4.5)
        return plain
            ? Axis.plainLabel(pow(10, Double(exponent))) : "10" + Axis.superscript(exponent)
    }

    static func superscript(_ exponent: Int) -> String {
        let digits: [Character] = ["⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"]
        return String(
            String(exponent).map { character in
                character.wholeNumberValue.map { digits[$0] } ?? "⁻"
            })
    }

    /// A number of one significant digit as a reader writes it.
    private static func plainLabel(_ value: Double) -> String {
        let exponent = Int(log10(value).rounded(.down))
        return exponent >= -4 && exponent <= 5
            ? decimal(value, places: max(0, -exponent))
            : scientific(value, step: value)
    }

    private static func niceStep(_ raw: Double, whole: Bool) -> Double {
        let power = pow(10, log10(raw).rounded(.down))
        let nice = [1.0, 2, 5, 10].first { $0 * power >= raw * 0.85 } ?? 10
        return whole ? max(1, (nice * power).rounded()) : nice * power
    }

    private static func labelled(_ values: [Double], step: Double) -> [AxisTick] {
        let largest = values.map(abs).max() ?? 0
        let places = max(0, Int((-log10(step) - 1e-9).rounded(.up)))
        return values.map { value in
            let plain = largest < 1e7 && places <= 4
            return AxisTick(
                value: value,
                label: plain
                    ? decimal(value, places: places) : scientific(value, step: step))
        }
    }

    static func decimal(_ value: Double, places: Int) -> String {
        let digits = String(format: "%.\(places)f", abs(value))
        let parts = digits.split(separator: ".", omittingEmptySubsequences: false)
        var whole = String(parts[0])
        if whole.count > 4 {
            var grouped = ""
            for (index, character) in whole.enumerated() {
                if index > 0, (whole.count - index) % 3 == 0 { grouped.append(",") }
                grouped.append(character)
            }
            whole = grouped
        }
        let isZero = !digits.contains { $0 != "0" && $0 != "." }
        let sign = value < 0 && !isZero ? "−" : ""
        return sign + whole + (parts.count > 1 ? "." + parts[1] : "")
    }

    /// `2.5·10⁻⁵`, with as many digits as tell `value` from its neighbours `step` away.
    private static func scientific(_ value: Double, step: Double) -> String {
        guard value != 0 else { return "0" }
        let exponent = Int(log10(abs(value)).rounded(.down))
        let places = max(0, exponent - Int((log10(step) + 1e-9).rounded(.down)))
        let text = String(format: "%.\(min(places, 15))e", value)
        let parts = text.split(separator: "e")
        let mantissa = parts[0].replacingOccurrences(of: "-", with: "−")
        let power = superscript(Int(parts[1]) ?? exponent)
        return mantissa + "·10" + power
    }
}
