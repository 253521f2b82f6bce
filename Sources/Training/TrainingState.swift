import Kernels
import TensorStorage
import Transformer

/// Everything an optimizer update changes: parameters, Adam's moments and the step, plus the loss since the last record.
public struct TrainingState: Sendable {
    /// Names, shapes and places in the flat buffers.
    public let layout: TensorLayout
    /// Flat parameters.
    public let parameters: FloatView
    /// Adam's moments.
    public let moments: AdamMoments
    /// Updates done.
    public internal(set) var step = 0
    /// Sum of the losses since the last metrics record.
    var lossSum = 0.0
    /// Number of losses in ``lossSum``.
    var lossCount = 0

    /// A state at step 0.
    ///
    /// - Parameters:
    ///   - layout: names, shapes and places of the parameters.
    ///   - parameters: flat parameters, owned by the state from now on.
    public init(layout: TensorLayout, parameters: FloatView) {
        precondition(parameters.count == layout.count)
        self.layout = layout
        self.parameters = parameters
        moments = AdamMoments(count: layout.count)
    }
}
