import Foundation
import Platform

/// The record files of one run, which grow by whole records: metrics, evaluations and TensorBoard's events.
///
/// A checkpoint stores their ``lengths``; ``init(directory:lengths:)`` cuts them back to it, so that a resumed run writes
/// each record once.
public final class RunRecords {
    private let directory: RunDirectory
    private let metrics: RecordWriter
    private let evaluations: RecordWriter
    private let events: EventWriter
    /// What was measured and written already: `<step> <hash>` in evaluations.jsonl, `<step> <tag>` among the events.
    private var noted: Set<String> = []

    /// Opens the files, and creates those that are missing.
    ///
    /// - Parameters:
    ///   - directory: the run's folder.
    ///   - lengths: what the last checkpoint counts of each file, by its name in the folder.
    ///   - isCut: whether each file is cut back to its length, and a file without one begins anew; a run that is done goes
    ///     on where its files end.
    /// - Throws: `SystemError` when a file is shorter than its length: records that the checkpoint counts are gone.
    public init(directory: RunDirectory, lengths: [String: Int], isCut: Bool = true) throws {
        self.directory = directory
        // All of them before any is cut: what cannot be resumed stays as it is.
        for (name, length) in lengths {
            try CountedRecords.check("\(directory.path)/\(name)", against: length)
        }
        metrics = try RecordWriter(path: directory.metricsPath)
        evaluations = try RecordWriter(path: directory.evaluationsPath)
        let known = try EventFile.paths(in: directory.path)
        // Without a checkpoint there may be a file that a killed process began.
        let counted = known.last { lengths[Path.name(of: $0)] != nil }
        let kept = counted ?? (isCut ? nil : known.last)
        if isCut { for path in known where path != kept { try Folder.remove(path) } }
        events =
            try kept.map {
                try EventWriter(path: $0, cutTo: isCut ? lengths[Path.name(of: $0)] : nil)
            } ?? EventWriter(creatingIn: directory.path)
        if isCut {
            try metrics.truncate(toByteLength: lengths[Path.name(of: metrics.path)] ?? 0)
            try evaluations.truncate(toByteLength: lengths[Path.name(of: evaluations.path)] ?? 0)
        }
        noted = try Self.noted(directory, events.path)
    }

    private static func noted(
        _ directory: RunDirectory, _ eventsPath: String
    ) throws -> Set<String> {
        let records: [EvaluationRecord]
        do {
            records = try RecordReader.read(
                directory.evaluationsPath, as: EvaluationRecord.self)
        } catch let error as SystemError {
            throw SystemError(
                "\(error); delete it: what it lists is noted again when it is asked for")
        }
        let events = try EventReader.read(eventsPath)
        return Set(records.map { "\($0.step) \($0.hash)" })
            .union(events.flatMap { event in event.values.map { "\(event.step) \($0.tag)" } })
    }

    /// The length of every file in bytes, by its name in the run's folder.
    public var lengths: [String: Int] {
        get throws {
            [
                Path.name(of: metrics.path): try metrics.byteLength,
                Path.name(of: evaluations.path): try evaluations.byteLength,
                Path.name(of: events.path): try events.byteLength,
            ]
        }
    }

    /// Appends what was measured after a training step, to metrics.jsonl and as scalars.
    ///
    /// - Parameters:
    ///   - step: updates done.
    ///   - values: by tag, such as `train/loss`.
    ///   - date: when.
    public func appendMetrics(step: Int, _ values: [String: Double], at date: Date = Date()) throws
    {
        var record = values.mapValues(JSONValue.number)
        record["step"] = .integer(step)
        record["time"] = .number(date.timeIntervalSince1970)
        try metrics.append(record)
        try events.append(
            step: step, time: date,
            scalars: values.sorted { $0.key < $1.key }.map { (tag: $0.key, value: $0.value) })
    }

    /// Appends an evaluation that is not there yet, to evaluations.jsonl and, its mean over k, as a scalar
    /// `eval/<name>/<metric>`.
    ///
    /// - Parameters:
    ///   - evaluation: what was measured.
    ///   - date: when.
    public func append(_ evaluation: EvaluationRecord, at date: Date = Date()) throws {
        guard case .object(var record) = try JSONValue(encoding: evaluation) else { return }
        record["time"] = .number(date.timeIntervalSince1970)
        if noted.insert("\(evaluation.step) \(evaluation.hash)").inserted {
            try evaluations.append(record)
        }
        // TensorBoard has one place for a tag at a step: the first measurement keeps it.
        let tag = "eval/\(evaluation.name)/\(evaluation.metric)"
        if noted.insert("\(evaluation.step) \(tag)").inserted {
            try events.append(
                step: evaluation.step, time: date, scalars: [(tag: tag, value: evaluation.mean)])
        }
    }

    /// Tells TensorBoard the run's hyper-parameters: its configuration, flattened to dotted names.
    public func appendHyperparameters(
        _ configuration: JSONValue, at date: Date = Date()
    ) throws {
        guard case .object(let values) = configuration else { return }
        try events.appendHyperparameters(values, groupName: directory.name, time: date)
    }

    /// Tells TensorBoard how the run ended.
    public func appendEnd(_ status: RunStatus, at date: Date = Date()) throws {
        try events.appendSessionEnd(status: status == .finished ? .success : .failure, time: date)
    }

    /// Waits until every record has reached the disk.
    public func synchronize() throws {
        try metrics.synchronize()
        try evaluations.synchronize()
        try events.synchronize()
    }
}

/// One evaluation of a run: the mean of a metric over the prompts, for every k.
public struct EvaluationRecord: Codable, Hashable, Sendable {
    /// Updates done.
    public var step: Int
    /// Layout of the evaluation prompts.
    public var layout: String
    /// Distribution of the evaluation prompts.
    public var prompt: String
    /// `squared_error`, …
    public var metric: String
    /// The class that labelled the points.
    public var functionClass: String
    /// Number of prompts.
    public var examples: Int
    /// The hash of everything that decides the numbers besides the weights.
    public var hash: String
    /// Mean over the prompts for k = 0, 1, …
    public var means: [Double]

    /// Makes a record.
    public init(
        step: Int, layout: String, prompt: String, metric: String, functionClass: String,
        examples: Int, hash: String, means: [Double]
    ) {
        self.step = step
        self.layout = layout
        self.prompt = prompt
        self.metric = metric
        self.functionClass = functionClass
        self.examples = examples
        self.hash = hash
        self.means = means
    }

    /// The mean over k.
    public var mean: Double { means.reduce(0, +) / Double(max(1, means.count)) }

    /// `cft` on the standard prompts, `cft.skewed` on others.
    public var name: String { prompt == "standard" ? layout : "\(layout).\(prompt)" }

    /// The tag under which the means stand in a record, such as `eval/cft/squared_error`.
    private var tag: Key { Key(stringValue: "eval/\(layout)/\(metric)") }

    private struct Key: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    /// Reads a line of evaluations.jsonl.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        func value<Value: Decodable>(_ key: String) throws -> Value {
            try container.decode(Value.self, forKey: Key(stringValue: key))
        }
        step = try value("step")
        layout = try value("layout")
        prompt = try value("prompt")
        metric = try value("metric")
        functionClass = try value("function_class")
        examples = try value("examples")
        hash = try value("hash")
        means = []
        means = try container.decode([Double].self, forKey: tag)
    }

    /// Writes the fields of a line of evaluations.jsonl.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        func write(_ value: some Encodable, _ key: String) throws {
            try container.encode(value, forKey: Key(stringValue: key))
        }
        try write(step, "step")
        try write(layout, "layout")
        try write(prompt, "prompt")
        try write(metric, "metric")
        try write(functionClass, "function_class")
        try write(examples, "examples")
        try write(hash, "hash")
        try container.encode(means, forKey: tag)
    }
}
