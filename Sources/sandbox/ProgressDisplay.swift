import Experiments
import Logging
import Mechanism
import Training

/// Shows a runner's reports on standard error.
final class ProgressDisplay {
    private let isQuiet: Bool
    private let logger: Logger
    private var line: ProgressLine?
    private var label = ""
    private var total = 0

    /// - Parameter isQuiet: no progress and no notes.
    init(isQuiet: Bool) {
        self.isQuiet = isQuiet
        logger = MessageHandler.logger(label: "sandbox", isQuiet: isQuiet)
    }

    /// The closures a runner calls.
    var reporter: RunReporter {
        RunReporter(
            began: { [self] label, steps in
                self.label = label
                total = steps
                line = nil
            },
            stepped: { [self] step, loss in
                if line == nil {
                    // The clock starts when the first step is done: that step also warms everything up.
                    line = ProgressLine(
                        label: label, total: total, start: step,
                        style: .automatic(
                            isQuiet: isQuiet, everySteps: max(1, min(1000, total / 10))))
                } else {
                    line?.update(step: step, loss: loss)
                }
            },
            ended: { [self] in
                line?.finish()
                line = nil
            },
            noticed: { [self] in logger.notice("\($0)") },
            warned: { [self] in logger.warning("\($0)") })
    }
}
