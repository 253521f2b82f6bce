import Foundation
import Kernels

extension KernelCase {
    /// `y = x · r · γ` with `r = 1 / √(mean(x²) + ε)` for every row.
    public static func rmsNorm(rows: Int, width: Int, epsilon: Float = 1e-6) -> KernelCase {
        KernelCase(
            name: "RMS norm", size: "\(rows) × \(width)",
            inputs: [Operand("x", rows * width), Operand("γ", width)],
            outputs: [Operand("y", rows * width)], operations: 0
        ) {
            let scale = FloatView(zeros: rows)
            return Passes(
                forward: { inputs, outputs in
                    rmsNormForward(
                        output: outputs[0], scale: scale, input: inputs[0], weight: inputs[1],
                        rows: rows, epsilon: epsilon)
                },
                backward: { inputs, dOutputs, dInputs in
                    rmsNormInputGradient(
                        dInput: dInputs[0], dOutput: dOutputs[0], input: inputs[0], scale: scale,
                        weight: inputs[1], rows: rows)
                    for columns in shares(of: width) {
                        rmsNormWeightGradient(
                            dWeight: dInputs[1], dOutput: dOutputs[0], input: inputs[0],
                            scale: scale, rows: rows, columns: columns)
                    }
                })
        }
    }

    /// Every head rotated by the angles `p · 10000^(−2j / K)` of its row's position, p = 3 + row mod 7.
    public static func rotary(rows: Int, headCount: Int, headSize: Int) -> KernelCase {
        let count = rows * headCount * headSize
        return KernelCase(
            name: "rotary", size: "\(rows) × \(headCount) × \(headSize)",
            inputs: [Operand("x", count)], outputs: [Operand("y", count)], operations: 0
        ) {
            let half = headSize / 2
            let cosines = FloatView(zeros: 10 * half)
            let sines = FloatView(zeros: 10 * half)
            for place in 0..<10 * half {
                let exponent = -2 * Double(place % half) / Double(headSize)
                let angle = Double(place / half) * pow(10_000, exponent)
                cosines[place] = Float(cos(angle))
                sines[place] = Float(sin(angle))
            }
            let positions = IndexView((0..<rows).map { Int32(3 + $0 % 7) })
            return Passes(
                forward: { inputs, outputs in
                    outputs[0].copy(from: inputs[0])
                    rotateHeads(
                        rows: outputs[0], cosines: cosines, sines: sines, positions: positions,
                        headCount: headCount, headSize: headSize)
                },
                backward: { _, dOutputs, dInputs in
                    dInputs[0].copy(from: dOutputs[0])
                    rotateHeads(
                        rows: dInputs[0], cosines: cosines, sines: sines, positions: positions,
                        headCount: headCount, headSize: headSize, backward: true)
                })
        }
    }

    /// `h = silu(g) · u`.
    public static func swiGLU(count: Int) -> KernelCase {
        KernelCase(
            name: "SwiGLU", size: "\(count)", inputs: [Operand("g", count), Operand("u", count)],
            outputs: [Operand("h", count)], operations: 0
        ) {
            Passes(
                forward: { inputs, outputs in
                    swiGLUForward(output: outputs[0], gate: inputs[0], up: inputs[1])
                },
                backward: { inputs, dOutputs, dInputs in
                    swiGLUBackward(
                        dGate: dInputs[0], dUp: dInputs[1], dOutput: dOutputs[0], gate: inputs[0],
                        up: inputs[1])
                })
        }
    }

    /// Causal attention of one sequence whose query heads share keys, all groups one after another.
    public static func groupedAttention(
        length: Int, headCount: Int, keyValueHeadCount: Int, headSize: Int
    ) -> KernelCase {
        let queryCount = length * headCount * headSize
        let keyCount = length * keyValueHeadCount * headSize
        return KernelCase(
            name: "grouped attention",
            size: "\(length), \(headCount) / \(keyValueHeadCount) × \(headSize)",
            inputs: [Operand("q", queryCount), Operand("k", keyCount), Operand("v", keyCount)],
            outputs: [Operand("o", queryCount)],
            // Full attention by convention: two products of T × T × H·K.
            operations: 4 * Double(length * queryCount)
        ) {
            let shape = GroupedAttentionShape(
                length: length, headCount: headCount, keyValueHeadCount: keyValueHeadCount,
                headSize: headSize)
            let scratch = AttentionScratch(
                longest: AttentionShape(
                    examples: 1, length: length, headCount: headCount, headSize: headSize),
                forTraining: true)
            let positions = IndexView((0..<length).map(Int32.init))
            let output = FloatView(zeros: queryCount)
            let normalizer = FloatView(zeros: length * headCount)
            return Passes(
                forward: { inputs, outputs in
                    for group in 0..<keyValueHeadCount {
                        groupedAttentionForward(
                            output: output, logNormalizer: normalizer, queries: inputs[0],
                            keys: inputs[1], values: inputs[2], positions: positions, shape: shape,
                            group: group, scratch: scratch)
                    }
                    outputs[0].copy(from: output)
                },
                backward: { inputs, dOutputs, dInputs in
                    for group in 0..<keyValueHeadCount {
                        groupedAttentionBackward(
                            dQueries: dInputs[0], dKeys: dInputs[1], dValues: dInputs[2],
                            dOutput: dOutputs[0], output: output, logNormalizer: normalizer,
                            queries: inputs[0], keys: inputs[1], values: inputs[2],
                            positions: positions, shape: shape, group: group, scratch: scratch)
                    }
                })
        }
    }

    /// `y = x · Wᵀ + b`, and `+ r` when `adding`, with `W: [to, from]` stored as `element`.
    ///
    /// W should hold numbers that `element` can represent: others are rounded (fp16) or cut off (bf16).
    public static func storedLinear(
        rows: Int, from: Int, to: Int, element: StoredElement = .float32, adding: Bool = false,
        precision: ProductPrecision = .fp32
    ) -> KernelCase {
        let residual = adding ? [Operand("r", rows * to)] : []
        return KernelCase(
            name: "stored linear" + (adding ? " + residual" : "") + element.suffix
                + (precision == .bf16 ? ", bf16 products" : ""),
            size: "\(rows) × \(from) → \(to)",
            inputs: [Operand("x", rows * from), Operand("W", to * from), Operand("b", to)]
                + residual,
            outputs: [Operand("y", rows * to)], operations: 2 * Double(rows * from * to)
        ) {
            let map = StoredMap(
                rows: rows, from: from, to: to, element: element, precision: precision)
            return Passes(
                prepare: { map.take($0[1]) },
                forward: { inputs, outputs in
                    if rows <= fewRows && precision == .fp32 {
                        for outputRange in shares(of: to) {
                            storedLinearForwardOfFew(
                                output: outputs[0], input: inputs[0],
                                weight: map.matrix(inputs[1]), bias: inputs[2],
                                adding: adding ? inputs[3] : nil, rows: rows, outputs: outputRange)
                        }
                        return
                    }
                    map.layOut(inputs[0], width: from)
                    for outputRange in shares(of: to) {
                        storedLinearForward(
                            output: outputs[0], input: map.factor, weight: map.matrix(inputs[1]),
                            bias: inputs[2], adding: adding ? inputs[3] : nil, rows: 0..<rows,
                            outputs: outputRange, scratch: map.panel)
                    }
                },
                backward: { inputs, dOutputs, dInputs in
                    map.backward(inputs, dOutput: dOutputs[0], dInputs, adding: adding)
                    if adding { addScaled(dInputs[3], dOutputs[0], scale: 1) }
                })
        }
    }

    /// The cross-entropy of every row of logits with its target, 7 · row mod V; the gradient takes the place of the
    /// logits.
    public static func crossEntropy(rows: Int, vocabulary: Int) -> KernelCase {
        KernelCase(
            name: "cross-entropy", size: "\(rows) × \(vocabulary)",
            inputs: [Operand("z", rows * vocabulary)], outputs: [Operand("ℓ", rows)],
            operations: 0
        ) {
            let targets = IndexView((0..<rows).map { Int32($0 * 7 % vocabulary) })
            let unused = FloatView(zeros: rows)
            return Passes(
                forward: { inputs, outputs in
                    Kernels.crossEntropy(
                        losses: outputs[0], logits: inputs[0], targets: targets, weights: nil)
                },
                backward: { inputs, dOutputs, dInputs in
                    dInputs[0].copy(from: inputs[0])
                    Kernels.crossEntropy(
                        losses: unused, logits: dInputs[0], targets: targets,
                        weights: dOutputs[0])
                })
        }
    }
}

/// `0..<count` as two workers would share it: in pieces that begin at multiples of 16.
private func shares(of count: Int) -> [Range<Int>] {
    let size = max(16, (count / 2 + 15) / 16 * 16)
    return stride(from: 0, to: count, by: size).map { $0..<min($0 + size, count) }
}

/// The stored matrix and the working memory of one linear map.
private struct StoredMap {
    let rows, from, to: Int
    let element: StoredElement
    let panel: PanelScratch
    let products: ProductScratch
    /// The elements where they take two bytes.
    let halves: Buffer<UInt16>
    let factor: PackedRows
    let columns: PackedColumns

    init(rows: Int, from: Int, to: Int, element: StoredElement, precision: ProductPrecision) {
        self.rows = rows
        self.from = from
        self.to = to
        self.element = element
        panel = PanelScratch(rows: rows, precision: precision)
        products = ProductScratch(precision: precision, rows: 0, largestWidth: 0)
        columns = PackedColumns(
            count: PackedColumns.operandCount(rows: rows, width: from, precision: precision),
            precision: precision)
        factor = PackedRows(
            count: PackedRows.operandCount(
                rows: rows, width: max(from, to), precision: precision), precision: precision)
        halves = Buffer(count: element == .float32 ? 0 : to * from)
    }

    /// Lays out a left factor, its stripes as two workers would share them.
    func layOut(_ numbers: FloatView, width: Int) {
        let stripes = PackedRows.stripeCount(rows: rows)
        for part in [stripes / 2..<stripes, 0..<stripes / 2] {
            factor.pack(numbers, rows: rows, width: width, stripes: part)
        }
    }

    /// Converts `numbers: [to, from]` to elements of two bytes.
    func take(_ numbers: FloatView) {
        let target = halves.view
        for index in 0..<target.count {
            target[index] =
                element == .float16
                ? Float16(numbers[index]).bitPattern
                : UInt16(truncatingIfNeeded: numbers[index].bitPattern >> 16)
        }
    }

    /// W: what was taken, or `numbers` themselves where the elements are fp32.
    func matrix(_ numbers: FloatView) -> StoredMatrix {
        if element == .float32 { return StoredMatrix(numbers, rows: to, columns: from) }
        return halves.view.withBytes {
            StoredMatrix(bytes: $0, owner: halves, element: element, rows: to, columns: from)
        }
    }

    func backward(
        _ inputs: [FloatView], dOutput: FloatView, _ dInputs: [FloatView], adding: Bool
    ) {
        layOut(dOutput, width: to)
        for range in shares(of: from) {
            storedLinearInputGradient(
                dInput: dInputs[0], dOutput: factor, weight: matrix(inputs[1]),
                adding: adding ? dInputs[0] : nil, rows: 0..<rows, inputs: range, scratch: panel)
        }
        // dW = dyᵀ · x: the weight gradient of a map from y's width to x's.
        let panels = PackedColumns.panelCount(width: from)
        for part in [panels / 2..<panels, 0..<panels / 2] {
            columns.pack(inputs[0], rows: rows, width: from, panels: part)
        }
        for range in shares(of: to) {
            addWeightGradient(
                dWeight: dInputs[1], input: dOutput, dOutput: columns, rows: rows, from: to,
                to: from, inputs: range, scratch: products)
        }
        addColumnSums(total: dInputs[2], input: dOutput, rows: rows, width: to)
    }
}

extension StoredElement {
    /// What a kernel's name ends with.
    fileprivate var suffix: String {
        switch self {
        case .float32: ""
        case .float16: ", fp16"
        case .bfloat16: ", bf16"
        }
    }
}
