import Foundation
import TestSupport

extension BadInput {
    private static let sweep = ["sweep", "-f", "tiny.yaml", "--quiet"]
    /// What brings a damaged run back.
    private static let runCures = ["delete", "--restart", "runs rm", "restore"]
    /// What a sweep writes about a run that it begins and cannot go on with.
    private static let begun = ["{cpt}/metadata.json", "runs/tiny/manifest.json", "{cpt}/run.log"]

    /// `pretraining.from`: a folder that holds no model, or another one than the section `model` describes.
    static let bases: [BadInput] = [
        .value(
            "pretraining.from=nowhere",
            says: ["pretraining.from does not work: nowhere is not a folder"],
            cures: ["give a run, a checkpoint or a folder"]),
        .value(
            "pretraining.from=tiny.yaml",
            says: ["pretraining.from does not work: tiny.yaml is not a folder"],
            cures: ["give a run, a checkpoint or a folder"]),
        .value(
            "pretraining.from=runs", says: ["pretraining.from does not work: runs holds neither"],
            cures: ["config.yaml and model.safetensors"]),
        .value("pretraining.from=3", says: ["pretraining.from is 3"], cures: ["expected a text"]),
        BadInput(
            "missing base in the file", sweep,
            says: ["tiny.yaml:5:9: pretraining.from does not work: nowhere is not a folder"],
            cures: ["give a run, a checkpoint or a folder"]
        ) {
            try $0.patch("tiny.yaml", "pretraining:\n", "pretraining:\n  from: nowhere\n")
        },
        BadInput(
            "base of another shape", sweep + ["pretraining.from={base}", "model.n_embd=32"],
            says: ["{base} holds a model with n_embd = 16, and the section model asks for 32"],
            cures: ["make them agree"]),
        BadInput(
            "unfinished base", sweep + ["pretraining.from={base}"],
            says: ["pretraining.from does not work: the run {base} is interrupted"],
            cures: ["finish it first"]
        ) { try $0.interrupt("{base}") },
        BadInput(
            "base without a checkpoint", sweep + ["pretraining.from={base}"],
            says: ["{base} is a run without a checkpoint"], cures: ["delete"]
        ) { try $0.remove("{base}/checkpoints") },
        BadInput(
            "base with damaged weights", sweep + ["pretraining.from={base}"], status: 1,
            says: ["{base}/checkpoints/step_0000000040/model.safetensors", "SHA-256"],
            cures: runCures
        ) { try $0.drop(100, from: "{base}/checkpoints/step_0000000040/model.safetensors") },
        BadInput(
            "base of a newer program", sweep + ["pretraining.from={base}"], status: 1,
            says: ["{base}/metadata.json", "999"], cures: ["use a newer sandbox"]
        ) { try $0.setInteger("format_version", "999", in: "{base}/metadata.json") },
        BadInput(
            "checkpoint of a newer program",
            sweep + ["pretraining.from={base}/checkpoints/step_0000000040"], status: 1,
            says: ["{base}/checkpoints/step_0000000040/state.json", "999"],
            cures: ["use a newer sandbox"]
        ) {
            try $0.setInteger(
                "format_version", "999", in: "{base}/checkpoints/step_0000000040/state.json")
        },
    ]

    /// Losses that stop being numbers.
    static let divergences: [BadInput] = [
        BadInput(
            "fine-tuning diverges", sweep + ["training.optimizer.learning_rate=1.0e30"], status: 1,
            says: ["runs/tiny/cpt-s0-", " at step 2"], cures: ["lower "],
            allowed: ["runs/tiny/cpt-s0-", "runs/tiny/cft-s0-", "runs/tiny/manifest.json"]),
        BadInput(
            "pretraining diverges", sweep + ["pretraining.optimizer.learning_rate=1.0e30"],
            status: 1, says: ["runs/bases/linear-s0-", " at step 2"], cures: ["lower "],
            allowed: ["runs/bases/linear-s0-", "runs/tiny/manifest.json"]),
    ]

    /// Places where nothing can be written.
    static let outputs: [BadInput] = [
        BadInput(
            "runs below a file", sweep + ["--runs", "tiny.yaml/runs"], status: 1,
            says: ["tiny.yaml/runs", "Not a directory", "'tiny.yaml' is a file"],
            cures: ["name another folder"]),
        BadInput(
            "the sweep's folder is a file", status: 1,
            says: ["'runs/tiny' is a file"], cures: ["remove it"]
        ) { try $0.replaceByFile("runs/tiny") },
        BadInput(
            "the bases' folder is a file", status: 1, says: ["'runs/bases' is a file"],
            cures: ["remove it"], allowed: ["runs/tiny/manifest.json"]
        ) { try $0.replaceByFile("runs/bases") },
        BadInput(
            "plots is a file", status: 1, says: ["'runs/tiny/plots'", "File exists"],
            cures: ["remove it"]
        ) { try $0.replaceByFile("runs/tiny/plots") },
        BadInput(
            "a picture is a folder", status: 1,
            says: ["runs/tiny/plots/polynomial-training-loss.png", "is a folder"],
            cures: ["name a file"]
        ) {
            try $0.remove("runs/tiny/plots/polynomial-training-loss.png")
            try $0.makeFolder("runs/tiny/plots/polynomial-training-loss.png")
        },
        BadInput(
            "the table is a folder", status: 1,
            says: ["cannot write 'runs/tiny/summary.csv': Is a directory"], cures: ["name a file"]
        ) {
            try $0.remove("runs/tiny/summary.csv")
            try $0.makeFolder("runs/tiny/summary.csv")
        },
        BadInput(
            "predictions below a file", forward(output: "tiny.yaml/x"), status: 1,
            says: ["tiny.yaml/x: cannot be created: Not a directory"]
        ) { try $0.exportModel() },
        BadInput(
            "predictions over their inputs", forward(output: "./in.safetensors"),
            says: ["--output ./in.safetensors: in.safetensors is read by this command"],
            cures: ["name another file"]
        ) { try $0.exportModel() },
        BadInput(
            "predictions over the inputs, through a link", forward(output: "link.safetensors"),
            says: ["in.safetensors is read by this command"], cures: ["name another file"]
        ) {
            try $0.exportModel()
            try $0.link("link.safetensors", to: "in.safetensors")
        },
        BadInput(
            "predictions over the model", forward(output: "public/model.safetensors"),
            says: ["public/model.safetensors is read by this command"],
            cures: ["name another file"]
        ) { try $0.exportModel() },
        BadInput(
            "an export over a folder", ["export", "garg", "{cpt}", "--output", "runs"], status: 1,
            says: ["runs exists already"], cures: ["choose another folder"]),
        BadInput(
            "an export below a file", ["export", "garg", "{cpt}", "--output", "tiny.yaml/x"],
            status: 1, says: ["tiny.yaml/x cannot be made: tiny.yaml is not a folder"],
            cures: ["create it first"]),
        BadInput(
            "an import below a file",
            ["import", "garg", "public", "--runs", "tiny.yaml"], status: 1,
            says: ["Not a directory", "'tiny.yaml' is a file"], cures: ["name another folder"]
        ) { try $0.exportModel() },
    ]

    /// Models in the public form that somebody converted badly or copied in part.
    static let models: [BadInput] = [
        BadInput(
            "missing model", ["import", "garg", "public"], status: 1,
            says: ["public is not a folder"], cures: ["give a run"]),
        model("cut in the header", says: ["claims a header", "truncated"]) {
            try $0.cut("public/model.safetensors", to: 40)
        },
        model("a header length that lies", says: ["claims a header of 4294967295 bytes"]) {
            var data = Array(try bytes($0.path("public/model.safetensors")))
            data.replaceSubrange(0..<8, with: [255, 255, 255, 255, 0, 0, 0, 0])
            try $0.write(bytes: data, to: "public/model.safetensors")
        },
        model("cut in the data", says: ["_read_out.weight", "truncated"]) {
            try $0.drop(8, from: "public/model.safetensors")
        },
        model("a dtype of another size", says: ["F16 of shape"]) {
            try $0.patch("public/model.safetensors", "F32", "F16")
        },
        model("a dtype of integers", says: ["has the dtype I32; F32, F16, BF16 or F64"]) {
            try $0.patch("public/model.safetensors", "F32", "I32")
        },
        model("empty", says: ["has 0 bytes"]) { try $0.write("", to: "public/model.safetensors") },
        model("a value that is no number", says: ["_read_out", "NaN"]) {
            try $0.drop(4, from: "public/model.safetensors")
            let data = Array(try bytes($0.path("public/model.safetensors")))
            try $0.write(bytes: data + [0, 0, 0xC0, 0x7F], to: "public/model.safetensors")
        },
        model("another width", says: ["_read_in.weight", "[32, 2] is expected"]) {
            try $0.patch("public/config.yaml", "n_embd: 16", "n_embd: 32")
        },
        model("another depth", says: ["_backbone.h.1.ln_1.weight", "is missing"]) {
            try $0.patch("public/config.yaml", "n_layer: 1", "n_layer: 2")
        },
        BadInput(
            "sizes that are none", ["import", "garg", "public"],
            says: ["public/config.yaml:", "model.n_embd is 'x'"], cures: ["expected an integer"]
        ) {
            try $0.exportModel()
            try $0.patch("public/config.yaml", "n_embd: 16", "n_embd: x")
        },
        BadInput(
            "inputs of integers", forward(output: "out.safetensors"), status: 1,
            says: ["in.safetensors: tensor \"inputs\" has the dtype I32"], cures: ["is expected"]
        ) {
            try $0.exportModel()
            try $0.patch("in.safetensors", "F32", "I32")
        },
        BadInput(
            "missing inputs", forward(output: "out.safetensors"), status: 1,
            says: ["in.safetensors: cannot be opened: No such file"]
        ) {
            try $0.exportModel()
            try $0.remove("in.safetensors")
        },
    ]

    private static func forward(output: String) -> [String] {
        ["forward", "--checkpoint", "public", "--input", "in.safetensors", "--output", output]
    }

    /// A row about `public/model.safetensors`.
    private static func model(
        _ description: String, says: [String],
        spoil: @escaping @Sendable (SpoiledFolder) throws -> Void
    ) -> BadInput {
        BadInput(
            description, ["import", "garg", "public"], status: 1,
            says: ["public/model.safetensors"] + says, cures: ["convert the checkpoint again"]
        ) {
            try $0.exportModel()
            try spoil($0)
        }
    }

    /// Run directories that were cut, edited, or written by a newer program.
    static let runs: [BadInput] = [
        run("metadata of a newer program", "metadata.json", says: ["999"], cures: newer) {
            try $0.setInteger("format_version", "999", in: "{cpt}/metadata.json")
        },
        run("metadata cut", "metadata.json") { try $0.cut("{cpt}/metadata.json", to: 20) },
        run("metadata empty", "metadata.json") { try $0.cut("{cpt}/metadata.json", to: 0) },
        run("metadata of another kind", "metadata.json") {
            try $0.write("[]\n", to: "{cpt}/metadata.json")
        },
        run("metrics with a line that is no record", "metrics.jsonl", says: [":2"]) {
            try $0.patch("{cpt}/metrics.jsonl", "\n{", "\ng")
        },
        run("metrics missing", "metrics.jsonl") { try $0.remove("{cpt}/metrics.jsonl") },
        run("configuration missing", "config.yaml") { try $0.remove("{cpt}/config.yaml") },
        run("configuration of another run", "config.yaml") {
            try $0.patch("{cpt}/config.yaml", "n_embd: 16", "n_embd: 32")
        },
        run("checkpoints missing", "") { try $0.remove("{cpt}/checkpoints") },
        run("weights missing", checkpoint + "model.safetensors") {
            try $0.forgetEvaluations("{cpt}")
            try $0.remove("{cpt}/" + checkpoint + "model.safetensors")
        },
        run("weights cut in the header", checkpoint + "model.safetensors", says: ["SHA-256"]) {
            try $0.forgetEvaluations("{cpt}")
            try $0.cut("{cpt}/" + checkpoint + "model.safetensors", to: 40)
        },
        run("weights cut in the data", checkpoint + "model.safetensors", says: ["SHA-256"]) {
            try $0.forgetEvaluations("{cpt}")
            try $0.drop(100, from: "{cpt}/" + checkpoint + "model.safetensors")
        },
        run("weights of another dtype", checkpoint + "model.safetensors", says: ["SHA-256"]) {
            try $0.forgetEvaluations("{cpt}")
            try $0.patch("{cpt}/" + checkpoint + "model.safetensors", "F32", "F16")
        },
        BadInput(
            "base with damaged weights, for one run more", sweep + ["--seeds", "0,1"], status: 1,
            says: ["{base}/checkpoints/step_0000000040/model.safetensors", "SHA-256"],
            cures: runCures,
            allowed: ["runs/tiny/cpt-s1-", "runs/tiny/cft-s1-", "runs/tiny/manifest.json"]
        ) { try $0.drop(100, from: "{base}/checkpoints/step_0000000040/model.safetensors") },
        BadInput(
            "base without configuration", status: 1, says: ["{base}/config.yaml"], cures: runCures
        ) { try $0.remove("{base}/config.yaml") },
        BadInput(
            "base of a newer program", status: 1, says: ["{base}/metadata.json", "999"],
            cures: newer
        ) { try $0.setInteger("format_version", "999", in: "{base}/metadata.json") },
        unfinished("state of a newer program", "state.json", says: ["999"], cures: newer) {
            try $0.setInteger("format_version", "999", in: "{cpt}/" + checkpoint + "state.json")
        },
        unfinished("state cut", "state.json") {
            try $0.cut("{cpt}/" + checkpoint + "state.json", to: 10)
        },
        unfinished("state empty", "state.json") {
            try $0.cut("{cpt}/" + checkpoint + "state.json", to: 0)
        },
        unfinished("state of another type", "state.json") {
            try $0.setInteger("step", "\"x\"", in: "{cpt}/" + checkpoint + "state.json")
        },
        unfinished("state of another step", "state.json") {
            try $0.setInteger("step", "20", in: "{cpt}/" + checkpoint + "state.json")
        },
        unfinished("moments cut", "optimizer.safetensors", says: ["SHA-256"]) {
            try $0.drop(8, from: "{cpt}/" + checkpoint + "optimizer.safetensors")
        },
        unfinished("moments missing", "optimizer.safetensors") {
            try $0.remove("{cpt}/" + checkpoint + "optimizer.safetensors")
        },
        BadInput(
            "metrics shorter than at the checkpoint", status: 1, says: ["{cpt}/metrics.jsonl"],
            cures: runCures, allowed: begun
        ) {
            try $0.interrupt("{cpt}")
            try $0.cut("{cpt}/metrics.jsonl", to: 0)
        },
    ]

    private static let checkpoint = "checkpoints/step_0000000030/"
    private static let newer = ["use a newer sandbox"]

    /// A row about a file of the finished run `cpt`.
    private static func run(
        _ description: String, _ file: String, says: [String] = [], cures: [String] = runCures,
        spoil: @escaping @Sendable (SpoiledFolder) throws -> Void
    ) -> BadInput {
        BadInput(
            description, status: 1, says: [file.isEmpty ? "{cpt}" : "{cpt}/\(file)"] + says,
            cures: cures, allowed: ["runs/tiny/manifest.json", "{cpt}/run.log"], prepare: spoil)
    }

    /// A row about a file of the last checkpoint of the run `cpt`, which is to be continued.
    private static func unfinished(
        _ description: String, _ file: String, says: [String] = [], cures: [String] = runCures,
        spoil: @escaping @Sendable (SpoiledFolder) throws -> Void
    ) -> BadInput {
        BadInput(
            description, status: 1, says: ["{cpt}/\(checkpoint)\(file)"] + says, cures: cures,
            allowed: begun
        ) {
            try $0.interrupt("{cpt}")
            try spoil($0)
        }
    }
}
