import Experiments
import Foundation
import Platform
import Statistics

/// What differs between two runs: configuration, provenance, results and weights.
public struct RunComparison: Sendable {
    /// A value that the runs do not share.
    public struct Difference: Hashable, Sendable {
        /// Its dotted name.
        public let key: String
        /// The first run's value; nil where it has none.
        public let first: JSONValue?
        /// The second run's value; nil where it has none.
        public let second: JSONValue?
    }

    /// One number that both runs may have.
    public struct Result: Hashable, Sendable {
        /// `train/loss`, or `eval/<layout>/squared_error`: the mean over prompts and k.
        public let quantity: String
        /// The first run's number.
        public let first: Double?
        /// The second run's number.
        public let second: Double?
        /// Second − first over the same prompts, prompt by prompt; nil where the prompts differ.
        public let paired: Paired?

        /// Second − first; nil where a run has no number.
        public var difference: Double? { first.flatMap { first in second.map { $0 - first } } }
    }

    /// A paired difference over prompts.
    public struct Paired: Hashable, Sendable {
        /// The mean over prompts of the difference in error averaged over k.
        public let mean: Double
        /// The standard error of that mean.
        public let standardError: Double
        /// Number of prompts.
        public let prompts: Int
    }

    /// Values of config.yaml that differ, by dotted name.
    public let configuration: [Difference]
    /// Commit, program, libraries, BLAS kernel and machine where they differ, and how far the runs have come.
    public let provenance: [Difference]
    /// The last training loss and the error under every evaluation layout, whether or not they differ.
    public let results: [Result]
    /// SHA-256 of the latest model.safetensors of each run; nil without a checkpoint.
    public let weights: (first: String?, second: String?)

    /// Compares two runs.
    ///
    /// - Throws: an error that names the file that cannot be read.
    public init(_ first: CatalogedRun, _ second: CatalogedRun) throws {
        // Before the trees: a damaged configuration is named as the run's damage.
        results =
            first.isText && second.isText
            ? try [Self.losses(first, second)]
            : try Self.results(RecordedRun(first), RecordedRun(second))
        configuration = Self.differences(
            try first.configuration().flattened, try second.configuration().flattened)
        provenance = Self.differences(Self.provenance(of: first), Self.provenance(of: second))
        weights = (try Self.weightsHash(of: first), try Self.weightsHash(of: second))
    }

    /// Whether both have weights, and the same to the last bit.
    public var weightsAreEqual: Bool { weights.first != nil && weights.first == weights.second }

    /// Whether nothing at all differs.
    public var isEmpty: Bool {
        configuration.isEmpty && provenance.isEmpty && weights.first == weights.second
            && results.allSatisfy { $0.first == $0.second && $0.paired?.mean ?? 0 == 0 }
    }

    private static func differences(
        _ first: [FlatValue], _ second: [FlatValue]
    ) -> [Difference] {
        let a = Dictionary(first.map { ($0.key, $0.value) }, uniquingKeysWith: { $1 })
        let b = Dictionary(second.map { ($0.key, $0.value) }, uniquingKeysWith: { $1 })
        return Set(a.keys).union(b.keys).sorted().compactMap { key in
            a[key] == b[key] ? nil : Difference(key: key, first: a[key], second: b[key])
        }
    }

    /// What metadata.json says about program and machine, without times and process.
    private static func provenance(of run: CatalogedRun) -> [FlatValue] {
        guard let metadata = run.metadataJSON else { return [] }
        var values: [FlatValue] = []
        for key in ["step", "sandbox_version", "blas_kernel"] {
            if let value = metadata[key] { values.append(FlatValue(key: key, value: value)) }
        }
        if let status = run.status {
            values.append(FlatValue(key: "status", value: .string(status.rawValue)))
        }
        for key in ["git_commit", "git_dirty", "host", "cpu", "architecture", "cores"] {
            if let value = metadata["provenance"]?[key] {
                values.append(FlatValue(key: key, value: value))
            }
        }
        for (name, version) in run.metadata?.libraries ?? [:] {
            values.append(FlatValue(key: "libraries.\(name)", value: .string(version)))
        }
        return values
    }

    private static func losses(_ first: CatalogedRun, _ second: CatalogedRun) throws -> Result {
        Result(
            quantity: "train/loss", first: try LossRecord.read(first.directory).last?.loss,
            second: try LossRecord.read(second.directory).last?.loss, paired: nil)
    }

    private static func results(_ first: RecordedRun, _ second: RecordedRun) throws -> [Result] {
        var results = [
            Result(
                quantity: "train/loss", first: try first.losses().last?.loss,
                second: try second.losses().last?.loss, paired: nil)
        ]
        let own = try first.evaluations()
        let other = try second.evaluations()
        func name(_ evaluation: RecordedEvaluation) -> String {
            let prompt = evaluation.prompt == "standard" ? "" : ".\(evaluation.prompt)"
            return "eval/\(evaluation.layout)\(prompt)/squared_error"
        }
        for evaluation in own {
            let twin = other.first { name($0) == name(evaluation) }
            results.append(
                Result(
                    quantity: name(evaluation), first: evaluation.mean, second: twin?.mean,
                    paired: twin.flatMap { paired(evaluation, $0) }))
        }
        for evaluation in other where !own.contains(where: { name($0) == name(evaluation) }) {
            results.append(
                Result(
                    quantity: name(evaluation), first: nil, second: evaluation.mean, paired: nil))
        }
        return results
    }

    private static func paired(
        _ first: RecordedEvaluation, _ second: RecordedEvaluation
    ) -> Paired? {
        guard first.isOnTheSamePrompts(as: second) else { return nil }
        let differences = pairedDifferences([second.errors], [first.errors])[0]
        let summary = Summary(rowMeans(differences, columns: first.points))
        return Paired(
            mean: summary.mean, standardError: summary.standardError, prompts: summary.count)
    }

    private static func weightsHash(of run: CatalogedRun) throws -> String? {
        guard let step = try run.directory.latestCheckpointStep() else { return nil }
        let path = run.directory.checkpointPath(step: step) + "/model.safetensors"
        return sha256Hex(try WholeFile.read(path))
    }
}
