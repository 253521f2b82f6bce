@testable import Experiments

/// The top-level names the tests' sweeps may use.
let sweepSections = ["model", "pretraining", "training", "task", "layout"]

private let base = """
    model: {n_dims: 5, n_embd: 64}
    training: {steps: 1500, optimizer: {name: adam, learning_rate: 1.0e-4}}
    """

/// A sweep over two layouts and two seeds.
let polynomialSweep = """
    version: 1
    name: poly
    inherit: [base/quick.yaml]
    seeds: [0, 1]
    parameters:
      task: {parameters: {function_class: {value: polynomial}}}
      layout: {values: [cpt, cft]}
    evaluate: {examples: 10240}
    """

/// A folder with `poly.yaml` and the presets quick and small.
func sweepFolder() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try folder.write(base, to: "base/quick.yaml")
    try folder.write("inherit: quick.yaml\nmodel: {n_dims: 10}\n", to: "base/small.yaml")
    try folder.write(polynomialSweep, to: "poly.yaml")
    return folder
}

func loadSweep(
    _ folder: TemporaryFolder, _ name: String = "poly.yaml", preset: String? = nil,
    overrides: [String] = [], searchFolders: [String] = []
) throws -> SweepFile {
    try SweepFile.load(
        path: folder.file(name), sections: sweepSections, preset: preset, overrides: overrides,
        searchFolders: searchFolders)
}

/// A sweep from its text alone.
func parseSweep(_ yaml: String, _ overrides: String...) throws -> SweepFile {
    try SweepFile.load(yaml: yaml, path: "f.yaml", sections: sweepSections, overrides: overrides)
}

func trialLabels(_ sweep: SweepFile) throws -> [String] { try sweep.trials().map(\.label) }
