import Foundation
import TestSupport

extension BadInput {
    private static let anew = ["restore it, or delete the folder '{cpt}' to train it anew\n"]

    /// What a run's folder lacks or holds by mistake, and values of options that name a place or layouts: the cure is
    /// one that works.
    static let cures: [BadInput] = [
        inPlace("metadata.json"),
        inPlace("lock", options: ["--restart"]),
        inPlace("run.log", allowed: ["runs/tiny/manifest.json"]) {
            try $0.interrupt("{cpt}")
        },
        BadInput(
            "configuration missing, in words", status: 1,
            says: ["error: there is no file '{cpt}/config.yaml'; "] + anew
        ) { try $0.remove("{cpt}/config.yaml") },
        damagedConfiguration(["sweep", "-f", "tiny.yaml", "--quiet"]),
        damagedConfiguration(["plot", "tiny"]),
        damagedConfiguration(["eval", "{cpt}"]),
        damagedConfiguration(["export", "csv", "{cpt}"]),
        damagedConfiguration(["runs", "diff", "{cft}", "{cpt}"]),
        metadata(["export", "csv", "{cpt}"]),
        metadata(["export", "metrics-json", "{cpt}"]),
        metadata(["runs", "diff", "{cft}", "{cpt}"]),
        BadInput(
            "metrics.json of a run of a newer program", ["export", "metrics-json", "{cpt}"],
            status: 1, says: ["{cpt}/metadata.json", "999"], cures: ["use a newer sandbox"]
        ) { try $0.setInteger("format_version", "999", in: "{cpt}/metadata.json") },
        BadInput(
            "evaluation of a failed run", ["eval", "{cpt}"], status: 1,
            says: ["'{cpt}' is not finished (failed)", "{cpt}/config.yaml --runs runs "],
            cures: ["--retry-failed` tries it again"]
        ) {
            try $0.interrupt("{cpt}")
            try $0.patch("{cpt}/metadata.json", "\"interrupted\"", "\"failed\"")
        },
        BadInput(
            "a line that is no record, of an interrupted run", status: 1,
            says: ["{cpt}/metrics.jsonl:2: not a JSON object"], cures: ["remove the run"],
            allowed: ["runs/tiny/manifest.json"]
        ) {
            try $0.interrupt("{cpt}")
            try $0.patch("{cpt}/metrics.jsonl", "\n{", "\ng")
        },
        BadInput(
            "an export into a folder that is missing",
            ["export", "csv", "{cpt}", "--output", "nodir/x.csv"], status: 1,
            says: ["cannot write 'nodir/x.csv'"], cures: ["create the folder 'nodir'"]),
        BadInput(
            "an export without a name", ["export", "csv", "{cpt}", "--output", ""], status: 1,
            says: ["cannot write ''"], cures: ["name a file"]),
        overARecord(["export", "csv", "tiny", "--output", "{cpt}/metrics.jsonl"]),
        overARecord(["export", "csv", "{cft}", "--output", "{cpt}/./checkpoints/x.csv"]),
        overARecord(["export", "metrics-json", "{cft}", "--output", "link/metadata.json"]) {
            try $0.link("link", to: $0.filled("{cpt}"))
        },
        overARecord([
            "forward", "--checkpoint", "public", "--input", "in.safetensors", "--output",
            "{cpt}/config.yaml",
        ]) { try $0.exportModel() },
        layouts("cpt],x", says: "unknown prompt layout 'cpt]'", cure: "accepted: "),
        layouts("cpt,,cft", says: "a name is empty", cure: "such as cpt,cft"),
        layouts("", says: "a name is empty", cure: "such as cpt,cft"),
        layouts("cftt", says: "unknown prompt layout 'cftt'", cure: "the nearest is 'cft'"),
    ]

    /// A folder stands where a run's file belongs.
    private static func inPlace(
        _ file: String, options: [String] = [], allowed: [String] = [],
        also prepare: @escaping @Sendable (SpoiledFolder) throws -> Void = { _ in }
    ) -> BadInput {
        BadInput(
            "a folder in place of \(file)", ["train", "{cpt}/config.yaml", "--quiet"] + options,
            status: 1, says: ["{cpt}/\(file)", "Is a directory"], cures: ["move it away"],
            allowed: allowed
        ) {
            try prepare($0)
            try $0.remove("{cpt}/\(file)")
            try $0.makeFolder("{cpt}/\(file)")
        }
    }

    private static func damagedConfiguration(_ arguments: [String]) -> BadInput {
        BadInput(
            "damaged configuration, \(arguments[0])", arguments, status: 1,
            says: ["error: {cpt}/config.yaml:", "layuot"] + anew
        ) { try $0.patch("{cpt}/config.yaml", "layout:", "layuot:") }
    }

    /// The cure stands there once.
    private static func metadata(_ arguments: [String]) -> BadInput {
        BadInput(
            "damaged metadata, \(arguments[1])", arguments, status: 1,
            says: ["error: cannot read '{cpt}/metadata.json': not valid JSON; "] + anew
        ) { try $0.cut("{cpt}/metadata.json", to: 20) }
    }

    private static func overARecord(
        _ arguments: [String],
        also prepare: @escaping @Sendable (SpoiledFolder) throws -> Void = { _ in }
    ) -> BadInput {
        BadInput(
            "a result over a record, \(arguments[1])", arguments,
            says: ["the folder of the run tiny/cpt-s0-"], cures: ["name a file elsewhere"],
            prepare: prepare)
    }

    private static func layouts(_ list: String, says: String, cure: String) -> BadInput {
        BadInput(
            "layouts '\(list)'", ["eval", "{cpt}", "--layouts", list],
            says: ["error: command line: --layouts \(list): \(says)"], cures: [cure])
    }
}
