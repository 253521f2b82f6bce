import Foundation
import Platform

/// The state of a long loop in one line: `pretraining linear-s0  step 1200/8000  loss 0.0123  41.2 steps/s
/// ETA 02:45`.
public struct ProgressLine {
    /// How the line is shown.
    public enum Style: Hashable, Sendable {
        /// Not at all.
        case quiet
        /// One line of a terminal, rewritten in place and cut to `width` columns.
        case rewriting(width: Int, hasColor: Bool)
        /// A line of its own every `everySteps` steps; every 10 s when nil.
        case lines(everySteps: Int?)

        /// What suits standard error: rewriting on a terminal, else lines; colour unless `NO_COLOR` is set.
        public static func automatic(isQuiet: Bool = false, everySteps: Int? = nil) -> Style {
            if isQuiet { return .quiet }
            if !Terminal.isTerminal(.error) { return .lines(everySteps: everySteps) }
            return .rewriting(
                width: Terminal.width(.error) ?? 80, hasColor: Terminal.wantsColor(.error))
        }
    }

    private let label: String
    private let total: Int
    private let unit: String
    private let style: Style
    private let now: () -> Double
    private let sink: (String) -> Void
    private let start: (step: Int, time: Double)
    private var lastShown: (step: Int, time: Double)?
    private var isLineOpen = false

    /// Begins a line.
    ///
    /// - Parameters:
    ///   - label: what is going on.
    ///   - total: the step at which it ends.
    ///   - start: the step it begins at, above 0 after a resume.
    ///   - unit: what is counted.
    ///   - now: seconds from any fixed moment, never running backwards.
    ///   - sink: takes the text; standard error unless given.
    public init(
        label: String, total: Int, start: Int = 0, unit: String = "step", style: Style,
        now: @escaping () -> Double = { ProcessInfo.processInfo.systemUptime },
        sink: @escaping (String) -> Void = { Terminal.write($0, to: .error) }
    ) {
        self.label = label
        self.total = total
        self.unit = unit
        self.style = style
        self.now = now
        self.sink = sink
        self.start = (start, now())
    }

    /// Reports that `step` steps are done; cheap enough to call after every step.
    public mutating func update(step: Int, loss: Double? = nil) {
        let time = now()
        guard isDue(step: step, time: time) else { return }
        lastShown = (step, time)
        let text = line(step: step, loss: loss, time: time)
        switch style {
        case .quiet: break
        case .lines: sink(text + "\n")
        case .rewriting(let width, let hasColor):
            // One column is left free: a terminal wraps when the last one is written.
            let cut = String(text.prefix(max(1, width - 1)))
            let shown =
                hasColor && cut.hasPrefix(label)
                ? "\u{1B}[1m\(label)\u{1B}[0m\(cut.dropFirst(label.count))" : cut
            sink("\r\(shown)\u{1B}[K")
            isLineOpen = true
        }
    }

    /// Ends the line; what is written next begins a line of its own. A second call does nothing.
    public mutating func finish() {
        if isLineOpen { sink("\n") }
        isLineOpen = false
    }

    private func isDue(step: Int, time: Double) -> Bool {
        if style == .quiet || step == lastShown?.step { return false }
        guard let last = lastShown, step < total else { return true }
        switch style {
        case .quiet: return false
        case .rewriting: return time - last.time >= 0.1
        case .lines(let every?): return step / every > last.step / every
        case .lines(nil): return time - last.time >= 10
        }
    }

    private func line(step: Int, loss: Double?, time: Double) -> String {
        var parts = [label, "\(unit) \(step)/\(total)"]
        if let loss { parts.append("loss " + String(format: "%.4g", loss)) }
        let elapsed = time - start.time
        if step > start.step && elapsed > 0 {
            let rate = Double(step - start.step) / elapsed
            parts.append(
                String(format: "%.3g", rate) + (unit == "step" ? " steps/s" : " \(unit)/s"))
            let rest = step < total ? Double(total - step) / rate : nil
            parts.append(rest.map { "ETA \(duration($0))" } ?? "in \(duration(elapsed))")
        }
        return parts.joined(separator: "  ")
    }
}

/// A duration for people: `02:45`, `1:02:45`, `2d 03:04:05`; fractions are dropped.
public func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds >= 0, seconds < 1e12 else { return "–" }
    let whole = Int(seconds)
    let (days, hours, minutes) = (whole / 86400, whole / 3600 % 24, whole / 60 % 60)
    if days > 0 {
        return String(format: "%dd %02d:%02d:%02d", days, hours, minutes, whole % 60)
    }
    if hours > 0 { return String(format: "%d:%02d:%02d", hours, minutes, whole % 60) }
    return String(format: "%02d:%02d", minutes, whole % 60)
}
