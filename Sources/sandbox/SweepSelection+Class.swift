import InContextRegression

extension SweepSelection {
    /// The sweep of a class that has no file in sweeps/: what such a file says.
    static func text(_ functionClass: any FunctionClass) -> String {
        // Without a base function no prefix shows one: no claim is about the class, nor do the probes find anything.
        let hasBase = functionClass.hasBase
        let alongSteps =
            hasBase
            ? """
              dynamics: {examples: 1024, alignment_examples: 256}
              probes: {examples: 2048}

            """ : ""
        let layouts = hasBase ? "cpt, cft, neg-cft" : "cpt, neg-cft"
        let baselines = baselines(functionClass).joined(separator: ", ")
        return """
            version: 1
            name: \(functionClass.name)
            inherit: [base/\(usualPreset).yaml]
            method: grid
            seeds: [0, 1, 2]
            parameters:
              task: {parameters: {function_class: {value: \(functionClass.name)}}}
              layout: {values: [\(layouts)\(hasBase ? ", cft-no-query" : "")]}
            evaluate:
              layouts: [\(layouts)]
              prompts: [standard, grid]
              baselines: [\(baselines)]
              examples: 10240
            \(alongSteps)
            """
    }

    /// The references that a class is drawn with.
    private static func baselines(_ functionClass: any FunctionClass) -> [String] {
        let own =
            switch functionClass {
            case is NoisyLinearFunction: ["ridge=1"]
            case is SparseLinearFunction: ["lasso=0.01"]
            case is TwoLayerReLUFunction: ["knn3", "two_layer_network"]
            case is DecisionTreeFunction: ["knn3", "decision_tree"]
            default: [String]()
            }
        return ["bayes", "least_squares"] + own + ["zero"]
    }
}
