import Foundation
import Testing

@testable import Experiments

@Suite struct SweepExpansionTests {
    @Test func expandsInOrderWithSeedsInnermost() throws {
        let folder = try sweepFolder()
        let sweep = try loadSweep(folder)
        let trials = try sweep.trials()
        #expect(sweep.name == "poly" && sweep.seeds == [0, 1] && sweep.text == polynomialSweep)
        #expect(trials.map(\.label) == ["cpt-s0", "cpt-s1", "cft-s0", "cft-s1"])
        #expect(trials.map(\.seed) == [0, 1, 0, 1])
        #expect(trials[2].varying == [Trial.Value(name: "layout", text: "cft")])
        #expect(
            CanonicalJSON.text(of: trials[2].configuration.json)
                == #"{"layout":"cft","model":{"n_dims":5,"n_embd":64},"#
                + #""task":{"function_class":"polynomial"},"training":{"optimizer":"#
                + #"{"learning_rate":0.0001,"name":"adam"},"steps":1500}}"#)
        #expect(sweep.evaluate["examples"]?.scalarValue == .integer(10240))
    }

    @Test func firstParameterVariesSlowest() throws {
        let sweep = try parseSweep(
            """
            seeds: 2
            training: {rate: 9}
            parameters:
              training: {parameters: {rate: {values: [0.1, 0.2]}, steps: {value: 3}}}
              layout: {values: [cpt, cft, [a, b]]}
            """)
        #expect(
            try trialLabels(sweep)
                == [
                    "0.1-cpt-s0", "0.1-cpt-s1", "0.1-cft-s0", "0.1-cft-s1", "0.1-__a_,_b__-s0",
                    "0.1-__a_,_b__-s1", "0.2-cpt-s0", "0.2-cpt-s1", "0.2-cft-s0", "0.2-cft-s1",
                    "0.2-__a_,_b__-s0", "0.2-__a_,_b__-s1",
                ].map { $0.replacingOccurrences(of: ",", with: "_") })
        let trial = try sweep.trials()[0]
        #expect(trial.configuration.value(at: "training.rate")?.scalarValue == .number(0.1))
        #expect(trial.configuration.value(at: "training.steps")?.scalarValue == .integer(3))
    }

    @Test func labelsAreFitForFileNames() throws {
        let sweep = try parseSweep(
            "parameters: {task: {parameters: {a: {values: [.5, \"../x\", \"\"]}}}}")
        #expect(try trialLabels(sweep) == ["_5-s0", "_._x-s0", "s0"])
        let long = String(repeating: "x", count: 99)
        let many = (1...9).map { "a\($0): {values: [\(long), b]}" }.joined(separator: ", ")
        let first = try parseSweep("parameters: {task: {parameters: {\(many)}}}").trials()[0]
        #expect(first.label.count == 123)
    }

    @Test func withoutParametersThereIsOneTrialPerSeed() throws {
        #expect(try trialLabels(try parseSweep("name: x")) == ["s0"])
        #expect(try trialLabels(try parseSweep("seeds: 3")) == ["s0", "s1", "s2"])
        #expect(try trialLabels(try parseSweep("seeds: [7, 3]")) == ["s7", "s3"])
    }

    @Test func excludesMatchingTrials() throws {
        let yaml = """
            seeds: [0, 1]
            parameters:
              layout: {values: [cpt, cft]}
              training: {parameters: {steps: {values: [1, 2.0, 3]}}}
            exclude:
              - {layout: cpt, training: {steps: [2, 3]}}
              - {layout: cft, training.steps: 1, seed: 1}
            """
        #expect(
            try trialLabels(try parseSweep(yaml)) == [
                "cpt-1-s0", "cpt-1-s1", "cft-1-s0", "cft-2.0-s0", "cft-2.0-s1", "cft-3-s0",
                "cft-3-s1",
            ])
    }

    /// What the command line narrows, the file's exclusions need not follow; its own must hold.
    @Test func narrowingKeepsExclusions() throws {
        let folder = try TemporaryFolder()
        try folder.write(
            "seeds: [0, 1]\nparameters: {layout: {values: [cpt, cft]}}\n"
                + "exclude: [{layout: cft, seed: 1}]\n", to: "f.yaml")
        func load(_ overrides: String...) throws -> SweepFile {
            try SweepFile.load(
                path: folder.file("f.yaml"), sections: sweepSections, overrides: overrides)
        }
        #expect(try trialLabels(load("layout=[cpt]", "seeds=1")) == ["s0"])
        #expect(throws: ConfigurationError.self) { try load("exclude=[{layout: cfd}]") }
    }

    @Test func drawsAreFrozenAndIndependent() throws {
        let yaml = """
            method: random
            count: 4
            sweep_seed: 3
            parameters:
              layout: {values: [cpt, cft, neg-cft]}
              training:
                parameters:
                  steps: {min: 10, max: 12}
                  rate: {min: 1.0e-5, max: 1.0e-3, distribution: log_uniform_values}
                  noise: {min: 0.0, max: 1.0}
            """
        let trials = try parseSweep(yaml).trials()
        let first = trials.map { trial in trial.varying.map(\.text) }
        #expect(first.count == 4)
        // Golden: a change here changes what an old sweep file means.
        #expect(first[0] == ["cpt", "12", "0.00018493166106825032", "0.24121024023645643"])
        let more = try parseSweep(yaml, "count=200").trials()
        #expect(more.prefix(4).map { $0.varying.map(\.text) } == first)
        let values = more.map { $0.configuration["training"] }
        let steps = Set(values.compactMap { $0?["steps"]?.numericValue })
        let rates = values.compactMap { $0?["rate"]?.numericValue }
        let noise = values.compactMap { $0?["noise"]?.numericValue }
        #expect(steps == [10, 11, 12])
        #expect(rates.allSatisfy { (1e-5...1e-3).contains($0) })
        #expect(noise.allSatisfy { (0..<1).contains($0) })
        // The median of a log-uniform draw is the geometric mean of its ends.
        let below = rates.count { $0 < 1e-4 }
        #expect((70...130).contains(below))
        #expect(abs(noise.reduce(0, +) / 200 - 0.5) < 0.1)
        let other = try parseSweep(yaml, "sweep_seed=4").trials()
        #expect(other.map { $0.varying.map(\.text) } != first)
    }

    @Test func drawsThatRepeatAreLeftOut() throws {
        let trials = try parseSweep(
            "method: random\ncount: 50\nsweep_seed: 0\nparameters: {layout: {values: [a, b]}}"
        ).trials()
        #expect(Set(trials.map(\.label)) == ["a-s0", "b-s0"])
        #expect(trials.count == 2)
    }

    @Test func tellsHowManyDrawsAreLeft() throws {
        let yaml =
            "method: random\ncount: 50\nsweep_seed: 0\nparameters: {layout: {values: [a, b]}}"
        #expect(
            try parseSweep(yaml + "\nexclude: [{layout: a}]").drawNote()
                == "1 of 50 draws left: 1 excluded, 48 equal to an earlier one; raise count for more"
        )
        #expect(try parseSweep("parameters: {layout: {values: [a, b]}}").drawNote() == nil)
        let free = yaml.replacingOccurrences(of: "values: [a, b]", with: "min: 0.0, max: 1.0")
        #expect(try parseSweep(free).drawNote() == nil)
    }

    @Test(arguments: [
        ("0.00017147298974774265", "1.71e-4"), ("7.07117975081085e-05", "7.07e-5"),
        ("0.00025002", "2.50e-4"), ("0.0032019", "0.00320"), ("1234.56", "1235"),
        ("-12.3456", "-12.3"), ("99999.5", "1.00e5"), ("1.0e-3", "1.0e-3"), ("0.5", "0.5"),
        ("123456", "123456"), ("cft", "cft"), ("2.0", "2.0"),
    ])
    func longNumbersAreRounded(text: String, short: String) {
        #expect(Trial.Value(name: "a.b", text: text).shortText(digits: 3) == short)
    }

    @Test func labelsHoldFourDigits() throws {
        let values = "0.00017147298974774265, 0.001"
        let sweep = try parseSweep("parameters: {task: {parameters: {a: {values: [\(values)]}}}}")
        #expect(try trialLabels(sweep) == ["1.715e-4-s0", "0.001-s0"])
    }
}
