import Experiments

extension PlannedRun {
    /// The parameters in which the sweep's trials differ, without class and layout, which have names of their own in
    /// tables and pictures.
    var otherParameters: [Trial.Value] {
        varying.filter { $0.name != "layout" && $0.name != "task.function_class" }
    }
}

/// How tables and pictures write parameters: the last component of the name and three digits of a number, both in
/// full where that would be ambiguous.
struct ParameterWords {
    private let ambiguousNames: Set<String>
    private let ambiguousValues: Set<Trial.Value>

    /// - Parameter values: every value that will be written.
    init(_ values: [Trial.Value]) {
        let distinct = Set(values)
        let names = Dictionary(grouping: distinct, by: \.shortName)
        // A seed alone is fine-tuning's everywhere else.
        ambiguousNames = Set(
            names.filter { Set($0.value.map(\.name)).count > 1 }.map(\.key)
        ).union(["seed"])
        let texts = Dictionary(grouping: distinct) { [$0.name, $0.shortText(digits: 3)] }
        ambiguousValues = Set(texts.values.filter { $0.count > 1 }.joined())
    }

    /// `learning_rate=1.71e-4`.
    func text(_ value: Trial.Value) -> String {
        let name = ambiguousNames.contains(value.shortName) ? value.name : value.shortName
        let text = ambiguousValues.contains(value) ? value.text : value.shortText(digits: 3)
        return "\(name)=\(text)"
    }
}

extension SweepSummary {
    /// The table `parameters.csv`: one row per run with its seed and the values, in full, of the parameters in which
    /// the sweep's trials differ; it joins `summary.csv` on `run`. Nil when they differ in class and layout alone.
    public func parameterTable() -> CSVTable? {
        var names: [String] = []
        for value in results.runs.flatMap(\.plan.varying) where !names.contains(value.name) {
            names.append(value.name)
        }
        if results.runs.allSatisfy({ $0.plan.otherParameters.isEmpty }) { return nil }
        var table = CSVTable(header: ["run", "seed"] + names)
        for run in results.runs {
            let values = names.map { name in
                run.plan.varying.first { $0.name == name }?.text ?? ""
            }
            table.append([run.plan.name, String(run.plan.configuration.seed)] + values)
        }
        return table
    }
}
