import InContextRegression
import Testing

/// What baselines are called, and what they are meant for.
@Suite struct BaselineNameTests {
    @Test func namesOfBaselines() throws {
        #expect(Baselines.all.map(\.name) == ["zero", "least_squares", "averaging", "knn3"])
        #expect(
            Baselines.special.map(\.name) == [
                "ridge", "lasso", "two_layer_network", "decision_tree",
            ])
        let names = [
            ("knn=5", "knn5"), ("knn3", "knn3"), ("ridge=1", "ridge"), ("ridge=0.5", "ridge=0.5"),
            ("ridge=1e6", "ridge=1000000"), ("ridge=1e-300", "ridge=1e-300"),
            ("lasso=0.01", "lasso"), ("lasso=1", "lasso=1"), ("lasso=1e-4", "lasso=0.0001"),
            ("decision_tree=4", "decision_tree=4"),
        ]
        for (given, own) in names + (Baselines.all + Baselines.special).map({ ($0.name, $0.name) })
        {
            let name = try Baselines.named(given).name
            #expect(name == own)
            #expect(try Baselines.named(name).name == name)
        }
    }

    @Test func numbersArrive() throws {
        let ridge = try Baselines.named("ridge=0.25") as? Ridge
        #expect(ridge?.penalty == 0.25)
        let lasso = try Baselines.named("lasso=0.1") as? Lasso
        #expect(lasso?.penalty == 0.1)
        let tree = try Baselines.named("decision_tree=4") as? RegressionTree
        #expect(tree?.depth == 4)
        let unlimited = try Baselines.named("decision_tree") as? RegressionTree
        #expect(unlimited?.depth == nil && unlimited != nil)
    }

    @Test(arguments: [
        "knn=0", "knn", "knn=1001", "leastsquares", "ridge=0", "ridge=-1", "ridge=1e7", "ridge=nan",
        "ridge=", "lasso=0", "lasso=inf", "decision_tree=0", "decision_tree=1.5",
        "two_layer_network=3", "",
    ])
    func namesThatAreRefused(_ name: String) {
        let error = #expect(throws: UnknownNameError.self) { try Baselines.named(name) }
        #expect(error?.accepted.contains("ridge=0.1") == true)
        if let nearest = error?.nearest { #expect(error?.accepted.contains(nearest) == true) }
    }

    /// The lasso is for labels w · x; the others take every class.
    @Test func classesTheyAreMeantFor() throws {
        let lasso = try Baselines.named("lasso=0.1")
        try lasso.requireApplies(to: LinearFunction())
        let error = #expect(throws: BaselineError.self) {
            try lasso.requireApplies(to: PolynomialFunction())
        }
        #expect(
            error.map(String.init(describing:))
                == "the baseline 'lasso=0.1' does not apply to the function class 'polynomial', only to "
                + "linear, sparse_linear, noisy_linear: choose among zero, least_squares, averaging, "
                + "knn3, ridge, two_layer_network, decision_tree")
        for functionClass in FunctionClasses.all {
            for baseline in Baselines.all + Baselines.special where !(baseline is Lasso) {
                #expect(baseline.applies(to: functionClass))
            }
        }
    }

    @Test func slowBaselinesSaySo() {
        #expect(Baselines.all.allSatisfy { !$0.isSlow })
        let slow = Baselines.special.filter(\.isSlow).map(\.name)
        #expect(slow == ["two_layer_network"])
    }
}
