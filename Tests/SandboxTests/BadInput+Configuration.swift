import Foundation
import TestSupport

extension BadInput {
    /// Files that hold no configuration at all, or one that somebody mistyped.
    static let texts: [BadInput] = [
        .text(
            "unknown key", tinySweep + "trainig: {}\n",
            says: ["bad.yaml:18:1: unknown key 'trainig'"], cures: ["did you mean 'training'"]),
        .text(
            "unknown key in a section", changed("steps: 30", "steps: 30\n  stepz: 3"),
            says: ["bad.yaml:12:3: unknown key 'stepz' in training"],
            cures: ["did you mean 'steps'"]),
        .text(
            "wrong type", changed("steps: 30", "steps: many"),
            says: ["bad.yaml:11:10: training.steps is 'many'"], cures: ["expected an integer"]),
        .text(
            "list for a mapping", changed("evaluate: {examples: 32}", "evaluate: [32]"),
            says: ["bad.yaml:17:11: evaluate is a list"], cures: ["expected a mapping"]),
        .text(
            "duplicate key", changed("steps: 30", "steps: 30\n  steps: 40"),
            says: ["bad.yaml:11:3: ", "the key 'steps' more than once"], cures: ["keep one"]),
        .text(
            "unknown class", changed("value: polynomial", "value: polynomal"),
            says: ["bad.yaml:15:47: task.function_class is 'polynomal'"],
            cures: ["did you mean 'polynomial'"]),
        .text(
            "unknown layout", changed("[cpt, cft]", "[cpt, ctf]"),
            says: ["bad.yaml:16:26: layout is 'ctf'"], cures: ["did you mean 'cft'"]),
        .text(
            "inherits itself", "inherit: [bad.yaml]\n",
            says: ["bad.yaml:1:11: inherit goes in a circle: bad.yaml → bad.yaml"]),
        .file(
            "circle of three", says: ["inherit goes in a circle: b.yaml → c.yaml → b.yaml"]
        ) {
            try $0.write("inherit: b.yaml\n", to: "bad.yaml")
            try $0.write("inherit: c.yaml\n", to: "b.yaml")
            try $0.write("inherit: b.yaml\n", to: "c.yaml")
        },
        .file(
            "links in a circle",
            says: ["bad.yaml:1:11: inherit: one.yaml: cannot be read: ", "links"]
        ) {
            try $0.write("inherit: [one.yaml]\n", to: "bad.yaml")
            try $0.link("one.yaml", to: "two.yaml")
            try $0.link("two.yaml", to: "one.yaml")
        },
        .text(
            "inherits nothing that exists", "inherit: [nowhere.yaml]\n",
            says: ["bad.yaml:1:11: inherit: nowhere.yaml: cannot be read: No such file"]),
        .text(
            "inherits a preset that is not there", "inherit: [base/quick.yaml]\n",
            says: ["bad.yaml:1:11: inherit: base/quick.yaml is in none of the folders ., sweeps"],
            cures: ["run sandbox in the folder that holds sweeps/"]),
        .text(
            "bomb of aliases", bomb, says: ["bad.yaml:2:1: ", "aliases"], cures: ["use inherit"]),
        .text(
            "bomb of aliases in a key", bomb + "? *i\n: 1\n", says: ["bad.yaml:", "aliases"],
            cures: ["use inherit"]),
        .text(
            "alias of itself", "a: &a [*a]\n", says: ["bad.yaml:1:8: not valid YAML", "alias"]),
        .file(
            "100 MB", says: ["bad.yaml: ", "longer than 1000000 bytes"],
            cures: ["is this the right file?"], limits: "ulimit -v 1000000; ulimit -t 5"
        ) {
            try $0.cut("bad.yaml", to: 100_000_000)
        },
        .text(
            "a hundred thousand brackets", "name: " + String(repeating: "[", count: 100_000),
            says: ["bad.yaml:1:", "nested more than 64 deep"]),
        .text(
            "a very long value", "name: " + String(repeating: "x", count: 900_000),
            says: ["bad.yaml:1:7: name is 'xxx", "…", "expected a folder name"]),
        .text(
            "a very long key", "k" + String(repeating: "x", count: 900) + ": 1\n",
            says: ["bad.yaml:1:1: unknown key 'kxxx", "…"], cures: ["accepted: version"]),
        .text(
            "a line end in a key", "\"a\\nerror: b\": 1\n",
            says: ["bad.yaml:1:1: unknown key 'a\\nerror: b'"], cures: ["accepted: version"]),
        .file(
            "random bytes", says: ["bad.yaml: the file is not UTF-8"], cures: ["save it as UTF-8"]
        ) {
            var bytes = TestGenerator(seed: 3)
            try $0.write(
                bytes: (0..<4096).map { _ in UInt8(truncatingIfNeeded: bytes.next()) },
                to: "bad.yaml")
        },
        .text("a NUL", "name: ti\u{0}ny\n", says: ["bad.yaml:1:", "control characters"]),
        .text(
            "a list", "- a\n- b\n", says: ["bad.yaml:1:1: ", "a list"], cures: ["expected a map"]),
        .text(
            "empty", "", says: ["bad.yaml:1:1: model.n_dims is missing"],
            cures: ["expected an integer"]),
        .text("two documents", "a: 1\n---\nb: 1\n", says: ["bad.yaml:2:1: not valid YAML"]),
        BadInput(
            "a folder for a file", ["sweep", "-f", "runs", "--quiet"],
            says: ["error: runs: cannot be read: Is a directory"], cures: ["name a file"]),
        BadInput(
            "a missing file", ["sweep", "-f", "nowhere.yaml", "--quiet"],
            says: ["nowhere.yaml: there is no such file"], cures: ["(sweep files: "]),
        BadInput(
            "no file name", ["sweep", "-f", "", "--quiet"], says: ["the file name: it is empty"],
            cures: ["name a configuration file"]),
        BadInput(
            "an endless file", ["sweep", "-f", "/dev/zero", "--quiet"],
            says: ["/dev/zero", "longer than 1000000 bytes"], cures: ["is this the right file?"],
            limits: "ulimit -v 1000000; ulimit -t 5"),
        BadInput(
            "a class outside the checkout", ["sweep", "--class", "polynomial", "--quiet"],
            says: ["base/quick.yaml: the preset is in none of the folders sweeps"],
            cures: ["run sandbox in the folder that holds sweeps/"]),
        BadInput(
            "a preset outside the checkout",
            ["sweep", "--class", "polynomial", "--preset", "paper", "--quiet"],
            says: [
                "command line: --preset paper: no preset (base/*.yaml) is in the folders sweeps"
            ],
            cures: ["run sandbox in the folder that holds sweeps/"]),
    ]

    /// Values of the right type and without sense.
    static let values: [BadInput] = [
        .value("model.n_embd=15", says: ["not a multiple of n_head = 2"], cures: ["choose n_embd"]),
        .value("model.n_embd=0", says: ["model.n_embd is 0"], cures: ["expected an integer, 1 to"]),
        BadInput(
            "more points than positions",
            ["sweep", "-f", "tiny.yaml", "--quiet", "training.n_points=50"],
            says: [
                "command line: training.n_points=50: training has n_points = 50",
                "the model has 20",
            ], cures: ["raise model.n_positions to 100"]),
        .value(
            "pretraining.n_points=50", says: ["needs 100 positions and the model has 20"],
            cures: ["raise model.n_positions to at least 50"]),
        .value(
            "model.n_embd=65536",
            says: ["weights, gradients and moments take", "this machine has"],
            cures: ["lower n_embd"]),
        .value("seeds=0", says: ["seeds is 0"], cures: ["expected an integer, 1 to 10000"]),
        .value("seeds=[]", says: ["seeds is an empty list"], cures: ["name at least one seed"]),
        .value("seeds=[0, 0]", says: ["a seed more than once"], cures: ["keep one of each"]),
        .value("seeds=99999999999999999999", says: ["seeds is 9999"], cures: ["1 to 10000"]),
        BadInput(
            "--seeds 1e9", ["sweep", "-f", "tiny.yaml", "--quiet", "--seeds", "1e9"],
            says: ["command line: seeds=1e9: seeds is 1e9"],
            cures: ["expected an integer, 1 to 10000"]),
        .value(
            "training.steps=-1", says: ["training.steps is -1"], cures: ["expected an integer, 0"]),
        .value(
            "training.steps=1.5", says: ["training.steps is 1.5"], cures: ["expected an integer"]),
        .value(
            "training.optimizer.learning_rate=.inf", says: ["learning_rate is '.inf'"],
            cures: ["expected a number"]),
        .value(
            "training.optimizer.learning_rate=.nan", says: ["learning_rate is '.nan'"],
            cures: ["expected a number"]),
        .value(
            "training.optimizer.learning_rate=1e400", says: ["learning_rate is '1e400'"],
            cures: ["expected a number"]),
        .value("training=3", says: ["training is 3"], cures: ["expected a mapping"]),
        .value("layout=nope", says: ["layout is 'nope'"], cures: ["accepted: cpt"]),
        .value("task.function_class=x", says: ["is 'x'"], cures: ["accepted: linear"]),
        .value("name=../x", says: ["name is '../x'"], cures: ["expected a folder name"]),
        .value("name=bases", says: ["name is 'bases'"], cures: ["expected a folder name"]),
        .value("version=2", says: ["version is 2"], cures: ["versions up to 1"]),
        .value(
            "exclude=[{lay: cpt}]", says: ["the unknown parameter 'lay'"],
            cures: ["accepted: task.function_class"]),
        .value("training.steps={a", says: ["not valid YAML"], cures: ["expected ',' or '}'"]),
        BadInput(
            "everything excluded",
            ["sweep", "-f", "tiny.yaml", "--quiet", "exclude=[{layout: [cpt, cft]}]"],
            says: ["exclude leaves none of the trials"], cures: ["remove an entry"]),
        BadInput(
            "a preset of a file without one",
            ["sweep", "-f", "tiny.yaml", "--quiet", "--preset", "quick"],
            says: ["command line: --preset quick: no preset (base/*.yaml)"],
            cures: ["run sandbox in the folder that holds sweeps/"]),
    ]

    private static func changed(_ old: String, _ new: String) -> String {
        tinySweep.replacingOccurrences(of: old, with: new)
    }

    /// Nine levels, each nine times the one before: 9⁹ elements in 300 bytes.
    private static let bomb: String = {
        let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i"]
        let first = "a: &a [\(Array(repeating: "x", count: 9).joined(separator: ","))]\n"
        return first
            + zip(names, names.dropFirst()).map { inner, outer in
                let copies = Array(repeating: "*\(inner)", count: 9).joined(separator: ",")
                return "\(outer): &\(outer) [\(copies)]\n"
            }.joined()
    }()
}
