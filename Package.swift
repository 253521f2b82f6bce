// swift-tools-version: 6.2
import PackageDescription

// Every target is compiled in Swift 6 mode with warnings as errors. The default trait `Native`
// compiles for the host's CPU; `make build PORTABLE=1` (`--disable-default-traits`) leaves it out.
let settings: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .unsafeFlags(["-Xcc", "-march=native"], .when(traits: ["Native"])),
]

func room(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

/// Every room that a test imports is named: what is not may stay compiled against a former layout.
///
/// - Parameter isFast: false for tests whose own code does little but wait for files and processes: compiled without
///   optimization, which saves more than it costs. The code under test is optimized all the same.
func tests(_ name: String, _ dependencies: [Target.Dependency], isFast: Bool = true) -> Target {
    .testTarget(
        name: name, dependencies: ["TestSupport"] + dependencies,
        swiftSettings: settings + (isFast ? [] : [.unsafeFlags(["-Onone"])]))
}

let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let argumentParser = Target.Dependency.product(
    name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
    name: "sandbox",
    products: [.executable(name: "sandbox", targets: ["sandbox"])],
    traits: [
        .trait(name: "Native", description: "Compile SIMD kernels for the host CPU."),
        .default(enabledTraits: ["Native"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        .systemLibrary(name: "COpenBLAS"),
        .systemLibrary(name: "CPLplot"),
        .systemLibrary(name: "CVector"),
        .systemLibrary(name: "CCrypto"),
        room("Platform"),
        room("Randomness"),
        room("Kernels", ["COpenBLAS", "CVector", "Platform"]),
        room("KernelCases", ["Kernels"]),
        room("TensorStorage", ["Kernels", "Platform"]),
        room("Transformer", ["Kernels", "TensorStorage", "Randomness"]),
        room("InContextRegression", ["Kernels", "Randomness"]),
        room("Statistics", ["Randomness"]),
        room("Experiments", [yams, logging, "CCrypto", "Platform"]),
        room(
            "Training",
            ["Transformer", "Kernels", "TensorStorage", "Experiments", "Platform", logging]),
        room(
            "Mechanism",
            [
                "InContextRegression", "Transformer", "Kernels", "TensorStorage", "Training",
                "Statistics", "Experiments", "Platform",
            ]),
        room("Plotting", ["CPLplot", "Platform"]),
        room("Reporting"),
        room("Tokenizers", ["Platform"]),
        room(
            "LanguageModeling",
            [
                "Transformer", "Tokenizers", "Kernels", "TensorStorage", "Randomness",
                "Experiments", "Platform",
            ]),
        .systemLibrary(name: "CZlib"),
        .systemLibrary(name: "CSQLite"),
        room(
            "Corpora",
            ["CZlib", "CSQLite", "Tokenizers", "Randomness", "Experiments", "Platform"]),
        room("ContextualPrompts", ["Randomness", "Experiments", "Platform"]),
        room(
            "Objectives",
            [
                "Corpora", "ContextualPrompts", "Tokenizers", "Randomness", "Experiments",
                "Platform",
            ]),
        room(
            "FineTuning",
            [
                "LanguageModeling", "Corpora", "ContextualPrompts", "Objectives", "Training",
                "Transformer", "Tokenizers", "TensorStorage", "Kernels", "Randomness",
                "Experiments", "Platform",
            ]),
        .executableTarget(
            name: "sandbox",
            dependencies: [
                argumentParser, logging, "Platform", "Kernels", "KernelCases", "TensorStorage",
                "Transformer", "InContextRegression", "Statistics", "Experiments", "Training",
                "Mechanism", "Plotting", "Reporting", "Tokenizers", "LanguageModeling",
                "ContextualPrompts", "Objectives", "FineTuning",
            ],
            swiftSettings: settings),
        .target(
            name: "TestSupport",
            dependencies: ["Kernels", "TensorStorage", "Experiments", "Platform"],
            path: "Tests/TestSupport", swiftSettings: settings),
        tests("PlatformTests", ["Platform"], isFast: false),
        tests("RandomnessTests", ["Randomness"]),
        tests("KernelsTests", ["Kernels", "KernelCases", "Platform"]),
        tests("TensorStorageTests", ["TensorStorage", "Kernels"]),
        tests("TransformerTests", ["Transformer", "Kernels", "Platform", "TensorStorage"]),
        tests("InContextRegressionTests", ["InContextRegression", "Kernels", "Randomness"]),
        tests("StatisticsTests", ["Statistics", "Randomness"]),
        tests("ExperimentsTests", ["Experiments", "Platform"], isFast: false),
        tests(
            "TrainingTests",
            ["Training", "Experiments", "Kernels", "Platform", "TensorStorage", "Transformer"],
            isFast: false),
        tests(
            "MechanismTests",
            [
                "Mechanism", "Experiments", "InContextRegression", "Kernels", "Platform",
                "Randomness", "Statistics", "TensorStorage", "Training", "Transformer",
            ]),
        tests("PlottingTests", ["Plotting", "Platform"], isFast: false),
        tests("ReportingTests", ["Reporting"], isFast: false),
        tests("TokenizersTests", ["Tokenizers"]),
        tests(
            "LanguageModelingTests",
            ["LanguageModeling", "Kernels", "TensorStorage", "Transformer"]),
        tests(
            "CorporaTests",
            ["Corpora", "Experiments", "Tokenizers", "CZlib", "CSQLite"], isFast: false),
        tests(
            "ContextualPromptsTests",
            ["ContextualPrompts", "Experiments", "Platform", "Randomness"], isFast: false),
        tests(
            "ObjectivesTests",
            ["Objectives", "Corpora", "ContextualPrompts", "Tokenizers", "Randomness"]),
        tests(
            "FineTuningTests",
            [
                "FineTuning", "Objectives", "Training", "Corpora", "Experiments", "Kernels",
                "LanguageModeling", "TensorStorage", "Transformer",
            ], isFast: false),
        tests(
            "SandboxTests",
            [
                "sandbox", "Experiments", "InContextRegression", "Kernels", "TensorStorage",
                "Platform",
            ],
            isFast: false),
    ],
    swiftLanguageModes: [.v6]
)
