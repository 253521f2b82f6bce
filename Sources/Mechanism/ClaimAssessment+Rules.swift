import Foundation
import InContextRegression
import Kernels
import Statistics

/// The rules, claim by claim.
extension ClaimAssessment {
    /// CPT − CFT and NEG − CFT of ln of the mean loss over the last tenth of the steps.
    func loss(at step: Int?) throws -> Finding {
        let sets = try runs(.loss)
        let last = step ?? group.steps
        func logLoss(_ run: MeasuredRun) throws -> Double {
            let losses = run.losses.filter {
                $0.step <= last && Double($0.step) > 0.9 * Double(last)
            }
            guard !losses.isEmpty else {
                throw Gap(
                    reason: "\(run.plan.name) recorded no loss in the last tenth of \(last) steps",
                    command: nil)
            }
            return log(losses.reduce(0) { $0 + $1.loss } / Double(losses.count))
        }
        let values = try sets.map { set in try set.map { try $0.map(logLoss) } }
        let effects = [("cpt - cft", 0), ("neg-cft - cft", 2)].map { name, index in
            (
                name: name,
                effect: Effect.overBases(
                    values.map { Effect.studentT($0[index], minus: $0[1]) })
            )
        }
        return Finding(
            verdict: .positive(effects.map(\.effect)), effects: effects,
            runs: sets.flatMap { $0.flatMap { $0 } })
    }

    /// CPT − CFT and NEG − CFT of the error under each model's own layout.
    func curve(at step: Int?) throws -> Finding {
        let sets = try runs(.curve)
        let errors = try sets.map { set in try set.map { try ownErrors($0, at: step) } }
        let effects = [("cpt - cft", 0), ("neg-cft - cft", 2)].map { name, index in
            (
                name: name,
                effect: Effect.overBases(
                    errors.map { bootstrap($0[1]).effect($0[index], minus: $0[1]) })
            )
        }
        return Finding(
            verdict: .positive(effects.map(\.effect)), effects: effects,
            runs: sets.flatMap { $0.flatMap { $0 } })
    }

    /// CPT − NEG, which is to stay below half of CPT − CFT: the contrast of both, prompt by prompt, so that its interval
    /// holds the uncertainty of either. Half of no gain is no bar, so there must be a gain.
    func semantics(at step: Int?) throws -> Finding {
        let sets = try runs(.semantics)
        let contrasts = try sets.map { set in
            let errors = try set.map { try ownErrors($0, at: step) }
            return bootstrap(errors[0]).controlContrast(
                reference: errors[0], control: errors[2], treatment: errors[1])
        }
        let contrast = ControlContrast.overBases(contrasts)
        return Finding(
            verdict: .semantics(contrast),
            effects: [
                ("(cpt - cft) / 2 - (cpt - neg-cft)", contrast.belowHalf),
                ("cpt - cft", contrast.gain),
            ],
            others: [("cpt - neg-cft", contrast.control)],
            runs: sets.flatMap { $0.flatMap { $0 } },
            note: contrast.gain.isPositive ? nil : "cft itself gains nothing over cpt")
    }

    /// CPT-trained − CFT-trained, both measured under `cpt`.
    func transfer(at step: Int?) throws -> Finding {
        let sets = try runs(.transfer)
        let effects = try sets.map { set in
            let measured = try set.map { try $0.map { try errors($0, under: .cpt, at: step) } }
            return bootstrap(measured[0]).effect(measured[0], minus: measured[1])
        }
        let effect = Effect.overBases(effects)
        return Finding(
            verdict: .positive([effect]), effects: [("cpt - cft, both under cpt", effect)],
            runs: sets.flatMap { $0.flatMap { $0 } })
    }

    /// The gap CPT − CFT when CFT is trained and measured without the query's own label in the prefix, as a share of the
    /// gap with it.
    func leak(at step: Int?) throws -> Finding {
        let sets = try runs(.leak)
        let parts = try sets.map { set -> (share: Effect, reference: Effect) in
            let errors = try set.map { try ownErrors($0, at: step) }
            let bootstrap = bootstrap(errors[0])
            return (
                bootstrap.share(
                    pairedDifferences(errors[0], errors[2]),
                    of: pairedDifferences(errors[0], errors[1])),
                bootstrap.effect(errors[0], minus: errors[1])
            )
        }
        let share = Effect.overBases(parts.map(\.share))
        let isUnbounded = share.interval?.isUnbounded == true
        let reference = Effect.overBases(parts.map(\.reference))
        return Finding(
            verdict: .leak(share: share, reference: reference),
            effects: [("(cpt - cft-no-query) / (cpt - cft)", share)],
            runs: sets.flatMap { $0.flatMap { $0 } },
            note:
                "at equal steps cft-no-query has one label of each prompt to learn from, cft \(group.points)"
                + (reference.isPositive ? "" : "; there is no gap under cft to take a share of")
                + (isUnbounded ? ", so that the share has no bounds" : ""))
    }

    /// The excess risk under the own layout, CPT − CFT.
    ///
    /// Where the posterior is computed at every k, excess risk is the mean of (M − E[g | prompt])²; otherwise the
    /// difference of errors less the difference of the Bayes errors.
    func information(at step: Int?) throws -> Finding {
        let sets = try runs(.information)
        let curve = try self.curveAgainstCPT(at: step)
        var note: String?
        var effects: [Effect] = []
        for set in sets {
            if step == nil, let excess = excess(set) {
                note = "excess risk against the posterior mean"
                effects.append(bootstrap(excess[0]).effect(excess[0], minus: excess[1]))
            } else {
                note = "difference of errors less that of the Bayes errors"
                let errors = try set.map { try ownErrors($0, at: step) }
                let implied = Float(try bayesMean(set[0][0]) - bayesMean(set[1][0]))
                let shifted = errors[1].map { $0.map { $0 + implied } }
                effects.append(bootstrap(errors[0]).effect(errors[0], minus: shifted))
            }
        }
        let effect = Effect.overBases(effects)
        let verdict = Verdict.information(curve: curve, excess: [effect])
        if verdict == .confounded {
            note? +=
                "; the errors of cpt and cft differ, but cft's excess is not shown to be the smaller"
        }
        return Finding(
            verdict: verdict,
            effects: [("excess risk, cpt - cft", effect)], runs: sets.flatMap { $0.flatMap { $0 } },
            note: note)
    }

    /// Whether CFT lies below CPT at all: without NEG-CFT, which this claim does not need.
    private func curveAgainstCPT(at step: Int?) throws -> Verdict {
        let effects = try runs(.information).map { set in
            let errors = try set.map { try ownErrors($0, at: step) }
            return bootstrap(errors[0]).effect(errors[0], minus: errors[1])
        }
        return .positive([.overBases(effects)])
    }

    /// (M − E[g | prompt])² / d averaged over k, of each layout's runs; nil unless all of it is known.
    private func excess(_ set: [[MeasuredRun]]) -> [[[Float]]]? {
        var all: [[[Float]]] = []
        for runs in set {
            var seeds: [[Float]] = []
            for run in runs {
                guard let excess = run.cell(run.plan.configuration.layout)?.excess else {
                    return nil
                }
                let means = rowMeans(excess.array, columns: group.points)
                    .map { $0 / Float(group.dims) }
                guard means.allSatisfy(\.isFinite) else { return nil }
                seeds.append(means)
            }
            all.append(seeds)
        }
        let prompts = Set(all.flatMap { $0.map(\.count) })
        return prompts.count == 1 ? all : nil
    }

    /// The Bayes error under a run's own layout, averaged over k and divided by d.
    private func bayesMean(_ run: MeasuredRun) throws -> Double {
        let layout = run.plan.configuration.layout
        let curve = summary.results.bayesCurve(
            run.plan.configuration, EvaluationSetting(layout: layout))
        let values = curve?.values.compactMap { $0 } ?? []
        guard values.count == group.points else {
            let unknown = (0..<group.points).filter { curve?.values[$0] == nil }
            throw Gap(
                reason: "no Bayes-optimal error of \(group.functionClass.name) is known under "
                    + "\(layout.name)" + (unknown.first.map { " from k = \($0)" } ?? ""),
                command: nil)
        }
        return values.reduce(0, +) / Double(values.count) / Double(group.dims)
    }

    /// The area under alignment against ln step, CFT minus each, the query moved in every place, averaged over the
    /// context lengths measured.
    func gradient(through step: Int?) throws -> Finding {
        guard group.functionClass.hasGradient else {
            throw Gap(
                reason: "\(group.functionClass.name) has no gradient to align with", command: nil)
        }
        let sets = try runs(.gradient)
        var effects: [[Effect]] = []
        for set in sets {
            let areas = try set.map { try $0.map { try alignmentArea($0, through: step) } }
            let rows = finiteRows(areas.flatMap { $0 })
            guard !rows.isEmpty else {
                throw Gap(reason: "no prompt has a gradient at every context length", command: nil)
            }
            let kept = areas.map { $0.map { selecting($0, rows: rows) } }
            effects.append([0, 2].map { bootstrap(kept[0]).effect(kept[1], minus: kept[$0]) })
        }
        let combined = [("cft - cpt", 0), ("cft - neg-cft", 1)].map { name, index in
            (name: name, effect: Effect.overBases(effects.map { $0[index] }))
        }
        return Finding(
            verdict: .positive(combined.map(\.effect)), effects: combined,
            runs: sets.flatMap { $0.flatMap { $0 } })
    }

    private func alignmentArea(_ run: MeasuredRun, through step: Int?) throws -> [Float] {
        guard let dynamics = run.dynamics, !dynamics.both.isEmpty else {
            throw Gap(
                reason:
                    "the gradient alignment of \(run.plan.name) was not measured along its steps",
                command: command + " 'evaluate.dynamics={}'")
        }
        let places = dynamics.steps.indices.filter { dynamics.steps[$0] <= step ?? .max }
        guard places.count >= 2 else {
            throw Gap(reason: "an area needs two steps or more", command: nil)
        }
        return areaAgainstLogStep(
            places.map {
                finiteRowMeans(dynamics.both[$0].array, columns: dynamics.contexts.count)
            }, steps: places.map { dynamics.steps[$0] })
    }
}

/// The mean of each row's finite values; NaN of a row without any.
func finiteRowMeans(_ values: [Float], columns: Int) -> [Float] {
    stride(from: 0, to: values.count, by: columns).map { start in
        let finite = values[start..<start + columns].filter(\.isFinite)
        return finite.isEmpty ? .nan : finite.reduce(0, +) / Float(finite.count)
    }
}
