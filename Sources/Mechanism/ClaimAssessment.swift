import Experiments
import Foundation
import InContextRegression
import Kernels
import Statistics

/// Decides the claims for every class of a sweep, by these rules:
///
/// Prompts are the same for every seed, layout and model, and are crossed with seeds; intervals are 95 %. Effects are
/// differences of the error averaged over k, divided by d. A claim is *supported* when the whole interval lies on the
/// claimed side for every comparison, *not supported* otherwise, *confounded* where ``Verdict`` says so. With several
/// bases the interval is the hull of the bases' intervals: what is said holds for each of them.
public struct ClaimAssessment {
    let summary: SweepSummary
    let group: ClaimGroup
    private let bootstraps: Bootstraps
    /// The command that asked for the sweep: `sandbox sweep -f sweeps/polynomial.yaml`.
    let command: String

    /// All claims of a sweep.
    ///
    /// - Parameters:
    ///   - summary: the statistics of the sweep.
    ///   - command: the command that asked for the sweep; what is missing is made by it with more arguments.
    public static func claims(
        _ summary: SweepSummary, command: String
    ) -> (last: [ClaimResult], alongSteps: [ClaimResult]) {
        let bootstraps = Bootstraps()
        var last: [ClaimResult] = []
        var earlier: [ClaimResult] = []
        for group in ClaimGroup.groups(summary.results) {
            let assessment = ClaimAssessment(
                summary: summary, group: group, bootstraps: bootstraps, command: command)
            last += Claim.allCases.map { assessment.result($0, at: nil) }
            let steps = group.first.dynamics?.steps.dropLast() ?? []
            for step in steps {
                earlier += Claim.allCases.filter { $0 != .base }
                    .map { assessment.result($0, at: step) }.filter { $0.verdict != nil }
            }
        }
        return (last, earlier)
    }

    // MARK: One claim

    /// Why a claim cannot be decided.
    struct Gap: Error {
        let reason: String
        let command: String?
    }

    /// The verdict and the effects it rests on.
    struct Finding {
        var verdict: Verdict
        /// What is claimed to lie above 0.
        var effects: [(name: String, effect: Effect)]
        /// What is shown beside it.
        var others: [(name: String, effect: Effect)] = []
        var runs: [MeasuredRun]
        var note: String?
    }

    func result(_ claim: Claim, at step: Int?) -> ClaimResult {
        do {
            if claim == .base { return try baseResult() }
            let finding = try finding(claim, at: step)
            let comparisons = finding.effects.map { ClaimEffect($0.name, $0.effect) }
            let deciding =
                comparisons.min { ($0.low ?? -.infinity) < ($1.low ?? -.infinity) }
            let effects = finding.effects.map(\.effect)
            let others = finding.others.map { ClaimEffect($0.name, $0.effect) }
            return ClaimResult(
                id: claim, functionClass: group.functionClass.name,
                parameters: group.parameters,
                verdict: finding.verdict.rawValue, effect: deciding?.effect, low: deciding?.low,
                high: deciding?.high, unit: claim.unit, steps: step ?? group.steps,
                seeds: effects.map(\.seeds).min() ?? 0, bases: effects.map(\.bases).min() ?? 1,
                prompts: effects.compactMap(\.prompts).min(),
                runs: paths(finding.runs), comparisons: comparisons + others,
                reason: finding.note, command: nil)
        } catch {
            let gap = error as? Gap
            return ClaimResult(
                id: claim, functionClass: group.functionClass.name,
                parameters: group.parameters, verdict: nil, effect: nil,
                low: nil, high: nil, unit: claim.unit, steps: step ?? group.steps, seeds: 0,
                bases: 0, prompts: nil, runs: [], comparisons: [],
                reason: gap?.reason ?? "\(error)", command: gap?.command)
        }
    }

    private func finding(_ claim: Claim, at step: Int?) throws -> Finding {
        switch claim {
        case .base: throw Gap(reason: "the base is measured once", command: nil)
        case .loss: try loss(at: step)
        case .curve: try curve(at: step)
        case .gradient: try gradient(through: step)
        case .semantics: try semantics(at: step)
        case .information: try information(at: step)
        case .transfer: try transfer(at: step)
        case .leak: try leak(at: step)
        }
    }

    private func paths(_ runs: [MeasuredRun]) -> [String] {
        var paths: [String] = []
        for run in runs {
            let path = "\(summary.results.plan.name)/\(run.plan.name)"
            if !paths.contains(path) { paths.append(path) }
        }
        return paths
    }

    /// The runs of a claim's layouts, base by base.
    func runs(_ claim: Claim) throws -> [[[MeasuredRun]]] {
        if !group.functionClass.hasBase && claim.layouts.contains("cft") {
            throw Gap(
                reason:
                    "\(group.functionClass.name) has no base function, so no prefix can show it",
                command: nil)
        }
        let missing = group.missing(claim.layouts)
        guard missing.isEmpty, let paired = group.paired(claim.layouts) else {
            let what =
                missing.isEmpty
                ? "no base and seed has runs of all of \(claim.layouts.joined(separator: ", "))"
                : "no run was trained under \(missing.joined(separator: ", "))"
            throw Gap(
                reason: what, command: command + " 'layout=[cpt,cft,neg-cft,cft-no-query]'")
        }
        return paired
    }

    // MARK: Errors

    /// The error of each prompt, averaged over k and divided by d, of one run under a layout.
    func errors(_ run: MeasuredRun, under layout: PromptLayout, at step: Int?) throws -> [Float] {
        let values: FloatView
        if let step {
            guard let dynamics = run.dynamics, let place = dynamics.steps.firstIndex(of: step),
                let measured = dynamics.errors[layout]
            else { throw notMeasured(run, "under \(layout.name) after \(step) steps") }
            values = measured[place]
        } else {
            guard let cell = run.cell(layout) else {
                throw notMeasured(run, "under \(layout.name)")
            }
            values = cell.errors
        }
        return rowMeans(values.array, columns: group.points).map { $0 / Float(group.dims) }
    }

    private func notMeasured(_ run: MeasuredRun, _ where: String) -> Gap {
        Gap(
            reason: "\(run.plan.name) was not measured \(`where`)",
            command: command + " 'evaluate.layouts=[cpt,cft,neg-cft]'")
    }

    func ownErrors(_ runs: [MeasuredRun], at step: Int?) throws -> [[Float]] {
        try runs.map { try errors($0, under: $0.plan.configuration.layout, at: step) }
    }

    func bootstrap(_ samples: [[Float]]) -> CrossedBootstrap {
        bootstraps.of(prompts: samples[0].count)
    }

    // MARK: Base

    private func baseResult() throws -> ClaimResult {
        let claims = summary.results.bases.filter { group.bases.contains($0.plan.hash) }
            .map { (base: $0, claim: BaseClaim($0, summary: summary)) }
        guard !claims.isEmpty else { throw Gap(reason: "no base was measured", command: command) }
        let holds = claims.allSatisfy { $0.claim.holds }
        // Of several bases the worst: each part as the base has it that is farthest off.
        func worst(_ part: (BaseClaim) -> BaseClaim.Part?) -> BaseClaim.Part? {
            claims.compactMap { part($0.claim) }.max {
                ($0.interval?.high ?? .infinity) < ($1.interval?.high ?? .infinity)
            }
        }
        let overall = worst(\.overall)
        let comparisons = BaseClaim.ContextRange.allCases.compactMap { range in
            worst { $0.part(range) }.map(ClaimEffect.init)
        }
        return ClaimResult(
            id: .base, functionClass: group.functionClass.name, parameters: group.parameters,
            verdict: (holds ? Verdict.supported : .notSupported).rawValue,
            effect: overall.flatMap { ClaimEffect($0).effect }, low: overall?.interval?.low,
            high: overall?.interval?.high, unit: Claim.base.unit,
            steps: claims.compactMap { $0.base.plan.configuration.pretraining?.phase.steps }.max()
                ?? 0,
            seeds: 1, bases: claims.count, prompts: summary.results.plan.evaluation.examples,
            runs: claims.map { "bases/\($0.base.plan.name)" }, comparisons: comparisons,
            reason: overall?.interval == nil ? "an error of the base is not a number" : nil,
            command: nil)
    }
}

/// Resamples by number of prompts, drawn once.
final class Bootstraps {
    private var drawn: [Int: CrossedBootstrap] = [:]

    func of(prompts: Int) -> CrossedBootstrap {
        if let known = drawn[prompts] { return known }
        let bootstrap = CrossedBootstrap(prompts: prompts)
        drawn[prompts] = bootstrap
        return bootstrap
    }
}

extension ClaimEffect {
    /// A part of the claim `base`; its interval is over prompts.
    init(_ part: BaseClaim.Part) {
        name = part.range?.name ?? "all k"
        effect = part.value.isFinite ? part.value : nil
        low = part.interval?.low
        high = part.interval?.high
    }
}
