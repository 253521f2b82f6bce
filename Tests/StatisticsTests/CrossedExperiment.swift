import Foundation
import Randomness
import Statistics

/// Two conditions of a made-up experiment whose true difference is known: seeds × prompts, crossed.
///
/// a − b of seed s and prompt p is truth + prompt · P_p + seed · S_s + noise · E_sp, with S and E
/// standard normal and P either standard normal or a lognormal e^Z less its mean √e, whose deviation
/// is 2.16 and whose tail is heavy. Both conditions stand on a lognormal level of each prompt ten
/// times as large, which pairing must cancel.
struct CrossedExperiment {
    var seeds: Int
    var prompts = 200
    var truth = 1.0
    var promptEffect = 0.0
    var seedEffect = 0.0
    var noise = 0.5
    var isHeavyTailed = true

    /// The experiment's two conditions: one array per seed, [prompts].
    func conditions(_ index: Int) -> (a: [[Float]], b: [[Float]]) {
        func normals(_ example: Int, _ count: Int) -> [Float] {
            RandomKey(seed: 90, stream: .measurement, step: index, example: example)
                .normals(count)
        }
        let seedEffects = normals(0, seeds).map { Double($0) * seedEffect }
        let promptEffects = normals(1, prompts).map { value in
            promptEffect * (isHeavyTailed ? exp(Double(value)) - exp(0.5) : Double(value))
        }
        let levels = normals(2, prompts).map { 10 * exp($0) }
        let a = (0..<seeds).map { seed in
            let noises = normals(3 + seed, prompts)
            return (0..<prompts).map { prompt in
                levels[prompt]
                    + Float(
                        truth + promptEffects[prompt] + seedEffects[seed]
                            + noise * Double(noises[prompt]))
            }
        }
        return (a, [[Float]](repeating: levels, count: seeds))
    }

    /// The share of `experiments` in which the interval that `interval` makes of the two conditions
    /// holds the truth; it gets a bootstrap with draws of its own for each.
    func coverage(
        of experiments: Int = 400,
        _ interval: (CrossedBootstrap, _ a: [[Float]], _ b: [[Float]]) -> Interval?
    ) -> Double {
        let hits = (0..<experiments).count { index in
            let (a, b) = conditions(index)
            let bootstrap = CrossedBootstrap(prompts: prompts, resamples: 200, seed: UInt64(index))
            return interval(bootstrap, a, b)?.contains(truth) ?? false
        }
        return Double(hits) / Double(experiments)
    }
}

/// The 95 % interval of a bootstrap that draws the prompts anew within each drawn seed, as if every
/// seed had prompts of its own.
func nestedInterval(_ samples: [[Float]], _ experiment: Int) -> Interval {
    var generator = CounterGenerator(
        RandomKey(seed: 78, stream: .measurement, example: experiment))
    let prompts = samples[0].count
    let means = (0..<200).map { _ in
        var sum = 0.0
        for _ in samples {
            let seed = samples[generator.integer(below: samples.count)]
            for _ in 0..<prompts { sum += Double(seed[generator.integer(below: prompts)]) }
        }
        return sum / Double(samples.count * prompts)
    }
    return Replicates(values: means, columns: 1).interval(0)
}
