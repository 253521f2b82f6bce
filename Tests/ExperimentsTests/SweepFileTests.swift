import Foundation
import Testing

@testable import Experiments

@Suite struct SweepInheritanceTests {
    @Test func laterFilesWinAndMarksStay() throws {
        let folder = try sweepFolder()
        try folder.write("model: {n_embd: 128}\ntraining: {optimizer: {name: sgd}}", to: "b.yaml")
        try folder.write(
            "inherit: [base/quick.yaml, b.yaml]\nmodel: {n_layer: 4}", to: "c.yaml")
        let sweep = try loadSweep(folder, "c.yaml")
        #expect(sweep.name == "c")
        let model = try #require(sweep.configuration["model"])
        #expect(model.json == ["n_dims": 5, "n_embd": 128, "n_layer": 4])
        #expect(model["n_embd"]?.mark.source == folder.file("b.yaml"))
        #expect(model["n_dims"]?.mark.source == folder.file("base/quick.yaml"))
        #expect(
            sweep.configuration.value(at: "training.optimizer")?.json
                == ["name": "sgd", "learning_rate": 0.0001])
    }

    @Test func anInheritedParameterIsReplacedWhole() throws {
        let folder = try sweepFolder()
        try folder.write(
            "inherit: poly.yaml\nparameters: {layout: {value: cft}}\nseeds: 1", to: "c.yaml")
        #expect(try trialLabels(try loadSweep(folder, "c.yaml")) == ["s0"])
        #expect(
            try loadSweep(folder, "c.yaml").trials()[0].configuration["layout"]?.scalarValue
                == .string("cft"))
    }

    @Test func nullTakesBackWhatIsInherited() throws {
        let folder = try sweepFolder()
        try folder.write("inherit: base/quick.yaml\ntraining: {optimizer: ~}", to: "c.yaml")
        let training = try #require(try loadSweep(folder, "c.yaml").configuration["training"])
        #expect(try ConfigurationReader(training).node("optimizer") == nil)
    }

    @Test func aPresetReplacesTheBase() throws {
        let folder = try sweepFolder()
        let sweep = try loadSweep(folder, preset: "small")
        #expect(sweep.configuration["model"]?.json == ["n_dims": 10, "n_embd": 64])
        try folder.write("inherit: poly.yaml\nname: deep", to: "deep.yaml")
        let deep = try loadSweep(folder, "deep.yaml", preset: "small")
        #expect(deep.configuration["model"]?["n_dims"]?.scalarValue == .integer(10))
        try folder.write("name: none", to: "none.yaml")
        let none = try loadSweep(folder, "none.yaml", preset: "quick")
        #expect(none.configuration["model"]?["n_dims"]?.scalarValue == .integer(5))
    }

    @Test func presetsAreFoundInTheSearchFolders() throws {
        let folder = try sweepFolder()
        try folder.write(polynomialSweep, to: "elsewhere/mine.yaml")
        let sweep = try loadSweep(
            folder, "elsewhere/mine.yaml", preset: "small", searchFolders: [folder.path])
        #expect(sweep.configuration["model"]?["n_dims"]?.scalarValue == .integer(10))
        #expect(
            folder.message { try loadSweep(folder, "elsewhere/mine.yaml") }
                == "elsewhere/mine.yaml:3:11: inherit: base/quick.yaml is in none of the folders "
                + "elsewhere; run sandbox in the folder that holds sweeps/, or name a sweep file that lies beside "
                + "base/")
    }

    @Test func unknownPresetsNameTheNearest() throws {
        let folder = try sweepFolder()
        #expect(
            folder.message { try loadSweep(folder, preset: "smal") }
                == "command line: --preset smal: unknown preset 'smal'; did you mean 'small'? "
                + "(accepted: quick, small)")
    }

    @Test func circlesAreNamed() throws {
        let folder = try sweepFolder()
        try folder.write("inherit: b.yaml", to: "a.yaml")
        try folder.write("inherit: [c.yaml]", to: "b.yaml")
        try folder.write(
            "name: x\ninherit: [../\(URL(fileURLWithPath: folder.path).lastPathComponent)/a.yaml]",
            to: "c.yaml")
        let message = folder.message { try loadSweep(folder, "a.yaml") }
        #expect(
            message.hasPrefix("c.yaml:2:11: inherit goes in a circle: a.yaml → b.yaml → c.yaml → "))
        try folder.write("inherit: self.yaml", to: "self.yaml")
        #expect(
            folder.message { try loadSweep(folder, "self.yaml") }
                == "self.yaml:1:10: inherit goes in a circle: self.yaml → self.yaml")
    }

    @Test func aDiamondIsNoCircleButAFloodIsRefused() throws {
        let folder = try sweepFolder()
        try folder.write("inherit: base/quick.yaml", to: "l.yaml")
        try folder.write("inherit: [l.yaml, base/quick.yaml]", to: "d.yaml")
        #expect(try loadSweep(folder, "d.yaml").configuration["model"] != nil)
        for i in 1...8 {
            try folder.write("inherit: [f\(i - 1).yaml, f\(i - 1).yaml]", to: "f\(i).yaml")
        }
        try folder.write("name: x", to: "f0.yaml")
        #expect(
            folder.message { try loadSweep(folder, "f8.yaml") }.hasSuffix(
                "inherit leads to more than 100 files"))
    }
}

@Suite struct SweepOverrideTests {
    @Test func setValuesInSectionsAndSweepKeys() throws {
        let folder = try sweepFolder()
        let sweep = try loadSweep(
            folder,
            overrides: [
                "training.steps=100", "model.n_layer=2", "seeds=[5]", "name=other",
                "training.optimizer={learning_rate: 0.5}", "task.noise=0.1",
            ])
        #expect(sweep.name == "other" && sweep.seeds == [5])
        let trial = try sweep.trials()[0]
        #expect(
            trial.configuration["training"]?.json
                == ["steps": 100, "optimizer": ["learning_rate": 0.5]])
        #expect(trial.configuration.value(at: "model.n_layer")?.scalarValue == .integer(2))
        #expect(
            trial.configuration["task"]?.json == ["noise": 0.1, "function_class": "polynomial"])
        #expect(
            trial.configuration.value(at: "training.steps")?.mark.description
                == "command line: training.steps=100")
    }

    @Test func replaceParameters() throws {
        let folder = try sweepFolder()
        #expect(try trialLabels(try loadSweep(folder, overrides: ["layout=cft"])) == ["s0", "s1"])
        #expect(
            try trialLabels(try loadSweep(folder, overrides: ["layout=[cft, neg-cft]", "seeds=1"]))
                == [
                    "cft-s0", "neg-cft-s0",
                ])
        let relu = try loadSweep(folder, overrides: ["task.function_class=relu"]).trials()[0]
        #expect(relu.configuration["task"]?.json == ["function_class": "relu"])
        #expect(relu.configuration["layout"]?.scalarValue == .string("cpt"))
    }

    @Test(arguments: [
        ("training", "command line: training: expected key=value, such as training.steps=100"),
        ("=3", "command line: =3: '' is not a dotted name, such as training.steps"),
        ("a..b=3", "command line: a..b=3: 'a..b' is not a dotted name, such as training.steps"),
        ("a b=3", "command line: a b=3: 'a b' is not a dotted name, such as training.steps"),
        (
            "layout=[cft",
            "command line: layout=[cft: not valid YAML: did not find expected ',' or ']' "
                + "(while parsing a flow sequence that begins at line 1)"
        ),
        (
            "seeds=&a 3",
            "command line: seeds=&a 3: anchors (&name) and aliases (*name) are not accepted; use inherit"
        ),
        (
            "training.steps.x=1",
            "command line: training.steps.x=1: 'x' cannot be set inside 1500, written at "
                + "base/quick.yaml:2:19"
        ),
        (
            "layout.x=1",
            "command line: layout.x=1: the parameter 'layout' at poly.yaml:7:11 sets the whole of it; "
                + "set layout={…}"
        ),
        (
            "trainig.steps=1",
            "command line: trainig.steps=1: unknown key 'trainig' at the top level; did you mean "
                + "'training'? (accepted: version, name, method, count, sweep_seed, seeds, parameters, "
                + "exclude, evaluate, model, pretraining, training, task, layout)"
        ),
        ("seeds=-1", "command line: seeds=-1: seeds is -1; expected an integer, 1 to 10000"),
        (
            "layout=[]",
            "command line: layout=[]: parameters.layout.values must be a list with at least one element"
        ),
    ])
    func refuses(argument: String, message: String) throws {
        let folder = try sweepFolder()
        #expect(folder.message { try loadSweep(folder, overrides: [argument]) } == message)
    }
}

@Suite struct SweepErrorTests {
    @Test(arguments: [
        ("version: 2", "f.yaml:1:10: version is 2; this program reads versions up to 1"),
        (
            "method: gird",
            "f.yaml:1:9: method is 'gird'; did you mean 'grid'? (accepted: grid, random)"
        ),
        ("method: random", "f.yaml:1:1: count is missing; expected an integer, at least 1"),
        ("count: 3", "f.yaml:1:8: count belongs to method: random; remove it or set the method"),
        ("seeds: [1, 1]", "f.yaml:1:8: seeds has a seed more than once; keep one of each"),
        ("seeds: []", "f.yaml:1:8: seeds is an empty list; name at least one seed"),
        ("seeds: [a]", "f.yaml:1:9: seeds[0] is 'a'; expected an integer, at least 0"),
        (
            "name: a/b",
            "f.yaml:1:7: name is 'a/b'; expected a folder name of at most 40 letters, digits, '.', '_', '-', '+' "
                + "and '=', not starting with '.', and not 'bases' or 'references'"
        ),
        (
            "parameters: {layout: {vaules: [a]}}",
            "f.yaml:1:23: unknown key 'vaules' in parameters.layout; did you mean 'values'? "
                + "(accepted: value, values, min, parameters, max, distribution)"
        ),
        (
            "parameters: {layout: {value: a, values: [b]}}",
            "f.yaml:1:22: parameters.layout has value and values; expected one of value, values, min "
                + "and max, or nested parameters"
        ),
        (
            "parameters: {layout: cft}",
            "f.yaml:1:22: parameters.layout is 'cft'; write {value: …} or {values: […]}"
        ),
        (
            "parameters: {layout: }",
            "f.yaml:1:22: parameters.layout is empty; expected value, values, min and max, or nested "
                + "parameters"
        ),
        (
            "parameters: {layout: {values: [a, b, a]}}",
            "f.yaml:1:38: parameters.layout.values has 'a' more than once; keep one"
        ),
        (
            "parameters: {layout: {values: a}}",
            "f.yaml:1:31: parameters.layout.values must be a list with at least one element"
        ),
        (
            "parameters: {layout: {min: 1}}",
            "f.yaml:1:22: parameters.layout.max is missing; expected a number"
        ),
        (
            "parameters: {layout: {min: 2, max: 1}}",
            "f.yaml:1:36: parameters.layout.max is below min"
        ),
        (
            "parameters: {layout: {min: 0, max: 1, distribution: log_uniform_values}}",
            "f.yaml:1:28: parameters.layout.min must be above 0 for log_uniform_values"
        ),
        (
            "parameters: {layout: {min: 0.5, max: 1, distribution: int_uniform}}",
            "f.yaml:1:28: parameters.layout.min and max must be integers below 2^53 for int_uniform"
        ),
        (
            "parameters: {layuot: {value: a}}",
            "f.yaml:1:22: unknown parameter 'layuot'; did you mean 'layout'? (accepted: model, "
                + "pretraining, training, task, layout)"
        ),
        (
            "parameters: {layout: {min: 1, max: 3}}",
            "f.yaml:1:22: layout has min and max, which a grid cannot enumerate; list values, or set "
                + "method: random with count and sweep_seed"
        ),
        (
            "parameters: {layout: {value: a}}\nexclude: [{layuot: a}]",
            "f.yaml:2:12: exclude names the unknown parameter 'layuot'; did you mean 'layout'? "
                + "(accepted: layout, seed)"
        ),
        (
            "parameters: {layout: {value: a}}\nexclude: [{layout: a}]",
            "f.yaml: exclude leaves none of the trials; remove an entry"
        ),
        (
            "parameters: {layout: {values: [a, b]}}\nexclude: [{layout: [a, c]}]",
            "f.yaml:2:24: exclude names 'c', which layout never is (accepted: a, b)"
        ),
        (
            "seeds: [0, 2]\nexclude: [{seed: 1}]",
            "f.yaml:2:18: exclude names 1, which seed never is (accepted: 0, 2)"
        ),
        (
            "parameters: {layout: {min: 1, max: 3}}\nexclude: [{layout: 4}]",
            "f.yaml:2:20: exclude names 4, which layout never is (accepted: numbers from 1.0 to 3.0)"
        ),
        ("name:", "f.yaml:1:6: name is empty; give the sweep a name, or leave the key out"),
        (
            "exclude: [{}]",
            "f.yaml:1:11: an entry of exclude is empty; name a parameter and its value"
        ),
        ("exclude: [a]", "f.yaml:1:11: exclude has 'a'; expected mappings {parameter: value}"),
        (
            "seeds: 10000\nparameters: {layout: {values: [0,1,2,3,4,5,6,7,8,9,10]}}",
            "f.yaml: the sweep asks for 110000 trials; at most 100000 are accepted"
        ),
        ("inherit: {a: b}", "f.yaml:1:10: inherit is a mapping; expected a text"),
    ])
    func refuses(yaml: String, message: String) {
        let error = #expect(throws: ConfigurationError.self) { try parseSweep(yaml).trials() }
        #expect(error?.description == message)
    }
}

@Suite struct CommittedSweepTests {
    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    static let folder = root.appendingPathComponent("sweeps").path

    @Test(
        arguments: [
            ("linear", ["cpt", "cft", "neg-cft", "cft-no-query"]),
            ("polynomial", ["cpt", "cft", "neg-cft", "cft-no-query"]),
            ("multilinear", ["cpt", "cft", "neg-cft", "cft-no-query"]),
            ("relu", ["cpt", "cft", "neg-cft", "cft-no-query"]),
            ("sigmoid", ["cpt", "cft", "neg-cft", "cft-no-query"]),
            ("tanh", ["cpt", "cft", "neg-cft", "cft-no-query"]),
            ("proddot", ["cpt", "cft", "neg-cft", "cft-no-query"]),
            ("sparse_linear", ["cpt", "cft", "neg-cft", "cft-no-query"]),
            ("noisy_linear", ["cpt", "cft", "neg-cft", "cft-no-query"]),
            ("quadratic", ["cpt", "cft", "neg-cft", "cft-no-query"]),
            ("two_layer_relu", ["cpt", "neg-cft"]), ("decision_tree", ["cpt", "neg-cft"]),
        ], [nil, "quick", "small", "paper"])
    func expandToThreeRunsForEachLayout(
        _ expected: (name: String, layouts: [String]), preset: String?
    ) throws {
        let name = expected.name
        let path = try #require(SweepFile.find(name, in: ["nowhere", Self.folder]))
        let sweep = try SweepFile.load(path: path, sections: sweepSections, preset: preset)
        let trials = try sweep.trials()
        #expect(sweep.name == name)
        #expect(
            trials.map(\.label)
                == expected.layouts.flatMap { layout in (0..<3).map { "\(layout)-s\($0)" } })
        for trial in trials {
            let task = trial.configuration.value(at: "task.function_class")
            #expect(task?.scalarValue == .string(name))
        }
        // The last token of a doubled prompt must have a position.
        let positions = try #require(sweep.configuration.value(at: "model.n_positions"))
        let points = try #require(sweep.configuration.value(at: "training.n_points"))
        #expect(
            try #require(positions.numericValue) * 2 >= 4 * (try #require(points.numericValue)))
    }

    @Test func printedConfigurationsReadBackEqual() throws {
        let sweep = try SweepFile.load(
            path: Self.folder + "/polynomial.yaml", sections: sweepSections, preset: "small",
            overrides: ["seeds=2", "training.steps=7"])
        let defaults = ConfigurationNode(
            [
                "layout": "cpt", "task": ["function_class": "linear", "kwargs": 1],
                "training": ["steps": 3, "log_every": 10],
            ], source: "defaults")
        let printed = try sweep.printed(defaults: defaults)
        let again = try SweepFile.load(yaml: printed, path: "printed.yaml", sections: sweepSections)
        #expect(try again.printed(defaults: defaults) == printed)
        // What the sweep says stands; what it does not say and does not vary is filled in.
        let training = again.configuration["training"]
        #expect(training?["steps"]?.json == 7 && training?["log_every"]?.json == 10)
        #expect(again.configuration["layout"] == nil)
        #expect(again.configuration["task"]?["function_class"] == nil)
        #expect(
            try again.trials().map { $0.configuration["model"]?.json }
                == sweep.trials().map { $0.configuration["model"]?.json })
        #expect(printed.hasPrefix("version: 1\nname: polynomial\nmethod: grid\nseeds: 2\n"))
    }

    @Test func areListed() {
        #expect(
            SweepFile.available(in: [Self.folder, "nowhere"]) == [
                "decision_tree", "linear", "multilinear", "noisy_linear", "polynomial", "proddot",
                "quadratic", "relu", "sigmoid", "sparse_linear", "tanh", "two_layer_relu",
            ])
        #expect(SweepFile.find("softmax", in: [Self.folder]) == nil)
        #expect(SweepFile.defaultSearchFolders().first == "sweeps")
    }
}
