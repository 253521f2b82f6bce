import InContextRegression
import Mechanism
import Plotting

/// A sweep's curves beside published ones of another size.
extension ClassFigures {
    /// Error, training loss and gradient alignment, published on the left and measured here on the right.
    ///
    /// Sizes differ, so errors are shares of E[g²], what predicting 0 costs, and context lengths are multiples of d.
    ///
    /// - Returns: nil where no curve of this class was published.
    func publishedFigure(_ published: PublishedCurves) -> NamedFigure? {
        let rows = [
            errorRow(published), lossRow(published), alignmentRow(published),
        ].compactMap { $0 }
        guard !rows.isEmpty else { return nil }
        let bases = Set(
            groups.compactMap { $0.runs[0].plan.base.configuration.pretraining?.phase.steps })
        let steps = bases.sorted().map(String.init).joined(separator: ", ")
        let pretraining = steps.isEmpty ? "" : "\(steps) pretraining and "
        return named(
            "published", "Beside the published curves",
            .curves(
                Figure(
                    title: "\(title): published curves and ours",
                    subtitle:
                        "left: \(published.model); right: \(sizes), \(points) points; "
                        + "\(pretraining)\(trained)",
                    panels: rows.flatMap { $0 }, columns: 2)),
            caption:
                "The published curves (\(published.source)) beside those of this sweep, each model under its own "
                + "layout. The sizes differ, so errors and losses are divided by E[g²], the error of "
                + "predicting 0, and context lengths by d: compare shapes, not heights. The alignment here is that "
                + "of the last query with the class's own gradient."
                + (published.note.map { " \($0)" } ?? ""))
    }

    private func errorRow(_ published: PublishedCurves) -> [Panel]? {
        row(
            published, .squaredError, "error against k", xLabel: "in-context examples, k / d",
            yLabel: "squared error / E[g²]", .linear, .log10, perDims: true
        ) { member in
            summary.errorCurve(member.group, layout: member.group.layout)
        }
    }

    private func lossRow(_ published: PublishedCurves) -> [Panel]? {
        row(
            published, .trainLoss, "training loss", xLabel: "fine-tuning step",
            yLabel: "loss / E[g²]", .log10, .log10, perDims: false
        ) { member in
            summary.lossCurve(member.group)
        }
    }

    private func alignmentRow(_ published: PublishedCurves) -> [Panel]? {
        row(
            published, .gradientAlignment, "gradient alignment", xLabel: "fine-tuning step",
            yLabel: "cosine to the gradient", .log10, .linear, perDims: false
        ) { member in
            summary.lastAlignmentAlongSteps(member.group)
        }
    }

    /// Two panels with equal axes; nil where a side has nothing to show.
    private func row(
        _ published: PublishedCurves, _ quantity: PublishedCurves.Quantity, _ what: String,
        xLabel: String, yLabel: String, _ xScale: AxisScale, _ yScale: AxisScale, perDims: Bool,
        _ ours: (ChosenCurves.Member) -> Curve?
    ) -> [Panel]? {
        func unit(_ dims: Int) -> (x: Double, y: Double) {
            (
                perDims ? Double(dims) : 1,
                quantity == .gradientAlignment ? 1 : functionClass.zeroPredictorError(dims: dims)
            )
        }
        // Equal names and styles on both sides share one entry of the legend.
        let theirs = chosen.series {
            published.curve(quantity, of: functionClass.name, $0.group.layout.name)
        }.map { $0.divided(by: unit(published.dims)) }
        let measured = chosen.series(ours).map { $0.divided(by: unit(model.inputDimension)) }
        guard !theirs.isEmpty, !measured.isEmpty else { return nil }
        let shown = (theirs + measured).flatMap { series in
            zip(series.x, series.y).compactMap { x, y -> (x: Double, y: Double)? in
                guard let y, y.isFinite, xScale == .linear || x > 0, yScale == .linear || y > 0
                else { return nil }
                return (x, y)
            }
        }
        guard let least = shown.map(\.y).min(), let most = shown.map(\.y).max(),
            let first = shown.map(\.x).min(), let last = shown.map(\.x).max(), first < last
        else { return nil }
        let xRange =
            xScale == .log10
            ? first / 1.1...last * 1.1
            : first - 0.02 * (last - first)...last + 0.02 * (last - first)
        let yRange =
            yScale == .log10
            ? max(least, most / 1e6) / 1.3...most * 1.3 : min(0, least) - 0.02...max(1, most) + 0.02
        return [("published", theirs), ("here", measured)].map { side, series in
            Panel(
                title: "\(what), \(side)", xLabel: xLabel, yLabel: yLabel, xScale: xScale,
                yScale: yScale, series: series, xRange: xRange, yRange: yRange)
        }
    }
}

extension Series {
    /// The series in other units.
    fileprivate func divided(by unit: (x: Double, y: Double)) -> Series {
        var series = self
        series.x = x.map { $0 / unit.x }
        series.y = y.map { $0.map { $0 / unit.y } }
        series.low = low.map { $0.map { $0.map { $0 / unit.y } } }
        series.high = high.map { $0.map { $0.map { $0 / unit.y } } }
        return series
    }
}
