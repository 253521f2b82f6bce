import Kernels

/// One kernel with its gradient at one size, declared once: tests hold it against a naive twin and against
/// differences, and `sandbox bench kernels` times it.
public struct KernelCase: Sendable {
    /// What goes in or comes out.
    public struct Operand: Sendable {
        /// Its letter in the kernel's formula.
        public let name: String
        /// Number of elements.
        public let count: Int

        init(_ name: String, _ count: Int) {
            self.name = name
            self.count = count
        }
    }

    /// The kernel on memory of its own; a backward pass follows a forward pass on the same inputs.
    public struct Passes {
        /// Takes what is packed once an update, and not in each pass: called when the inputs have changed.
        public let prepare: (_ inputs: [FloatView]) -> Void
        /// Overwrites the outputs.
        public let forward: (_ inputs: [FloatView], _ outputs: [FloatView]) -> Void
        /// Turns the outputs' gradients into the inputs', which start at 0. Nil where there is none.
        public let backward:
            ((_ inputs: [FloatView], _ dOutputs: [FloatView], _ dInputs: [FloatView]) -> Void)?

        init(
            prepare: @escaping (_ inputs: [FloatView]) -> Void = { _ in },
            forward: @escaping (_ inputs: [FloatView], _ outputs: [FloatView]) -> Void,
            backward: (
                (_ inputs: [FloatView], _ dOutputs: [FloatView], _ dInputs: [FloatView]) -> Void
            )?
        ) {
            self.prepare = prepare
            self.forward = forward
            self.backward = backward
        }
    }

    /// The kernel's name.
    public let name: String
    /// Its sizes.
    public let size: String
    /// The arguments, in the order that ``Passes/forward`` takes them.
    public let inputs: [Operand]
    /// The results.
    public let outputs: [Operand]
    /// Floating-point operations of the forward pass, a multiplication and an addition counted as two; 0 where the
    /// kernel is bound by memory.
    public let operations: Double
    /// Makes the passes with their working memory.
    public let passes: @Sendable () -> Passes

    /// The operations of the backward pass: each product has two gradients, as large as itself.
    public var backwardOperations: Double { 2 * operations }
}
