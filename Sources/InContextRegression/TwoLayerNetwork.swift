import Randomness

/// y = W₂ max(W₁x + b₁, 0) + b₂ and its training by Adam on all examples at once.
///
/// A vector holds the same number of four hidden units, or the same coordinate of four examples; units and examples
/// that only fill up the last vector are 0 and stay so. Nothing is allocated after the initializer.
struct TwoLayerNetwork {
    typealias Vector = SIMD4<Double>

    static let learningRate = 5e-3
    static let beta1 = 0.9
    static let beta2 = 0.999
    static let epsilon = 1e-8

    private let dims: Int
    private let hidden: Int
    /// Vectors of hidden units.
    private let blocks: Int
    /// Parameters of four hidden units: d columns of W₁, then b₁ and W₂.
    private let stride: Int
    /// For every block of units its `stride` vectors; at the end b₂ in the first place of a vector.
    var parameters: [Vector]
    private(set) var gradient: [Vector]
    private var firstMoments: [Vector]
    private var secondMoments: [Vector]

    private var count = 0
    /// x of four examples each: [groups, d]
    private var inputs: [Vector]
    private var labels: [Double]
    /// max(W₁x + b₁, 0), four units of one example each: [blocks, groups, 4]
    private var activations: [Vector]
    /// Sums over blocks of W₂ max(…), to be added across places: [groups, 4]
    private var outputs: [Vector]
    /// ∂L/∂y, 0 for what fills up: [groups, 4]
    private var errors: [Double]
    private var uniforms: [Float]

    /// A network of zeros, without examples but with memory for `examples` of them.
    init(dims: Int, hidden: Int, examples: Int) {
        self.dims = dims
        self.hidden = hidden
        blocks = (hidden + 3) / 4
        stride = dims + 2
        let groups = (examples + 3) / 4
        func vectors(_ count: Int) -> [Vector] { Array(repeating: .zero, count: count) }
        parameters = vectors(blocks * stride + 1)
        gradient = parameters
        firstMoments = parameters
        secondMoments = parameters
        inputs = vectors(groups * dims)
        labels = []
        labels.reserveCapacity(examples)
        activations = vectors(blocks * groups * 4)
        outputs = vectors(groups * 4)
        errors = Array(repeating: 0, count: groups * 4)
        uniforms = Array(repeating: 0, count: hidden * (dims + 2) + 1)
    }

    /// Adds an example.
    mutating func add(_ x: Span<Float>, label: Double) {
        for coordinate in 0..<dims {
            inputs[count / 4 * dims + coordinate][count % 4] = Double(x[coordinate])
        }
        labels.append(label)
        count += 1
    }

    /// Draws the parameters as PyTorch's `Linear` does, W₁ row by row, b₁, W₂, b₂: uniform on ±1/√fan-in.
    mutating func initialize(_ key: RandomKey) {
        var span = uniforms.mutableSpan
        key.fillUniforms(&span)
        let first = 1 / Double(dims).squareRoot()
        let second = 1 / Double(hidden).squareRoot()
        func value(_ place: Int, _ bound: Double) -> Double {
            (2 * Double(uniforms[place]) - 1) * bound
        }
        for unit in 0..<hidden {
            let start = unit / 4 * stride
            for coordinate in 0..<dims {
                parameters[start + coordinate][unit % 4] = value(unit * dims + coordinate, first)
            }
            parameters[start + dims][unit % 4] = value(hidden * dims + unit, first)
            parameters[start + dims + 1][unit % 4] = value(hidden * (dims + 1) + unit, second)
        }
        parameters[blocks * stride][0] = value(hidden * (dims + 2), second)
    }

    /// Takes `steps` steps of Adam from the present parameters and moments of 0.
    mutating func train(steps: Int) {
        for place in parameters.indices {
            firstMoments[place] = .zero
            secondMoments[place] = .zero
        }
        var (power1, power2) = (1.0, 1.0)
        for _ in 0..<steps {
            computeGradient()
            power1 *= Self.beta1
            power2 *= Self.beta2
            Self.update(
                &parameters, gradient, &firstMoments, &secondMoments, correction1: 1 - power1,
                correction2: 1 - power2)
        }
    }

    /// y at `x`.
    func predict(at x: Span<Float>) -> Double {
        var sum = Vector.zero
        for block in 0..<blocks {
            let start = block * stride
            var unit = parameters[start + dims]
            for coordinate in 0..<dims {
                unit += parameters[start + coordinate] * Double(x[coordinate])
            }
            sum += parameters[start + dims + 1] * Self.positivePart(unit)
        }
        return sum.sum() + parameters[blocks * stride][0]
    }

    /// Computes ∂L/∂parameters and returns L, the mean squared error of the examples.
    @discardableResult
    mutating func computeGradient() -> Double {
        Self.forward(
            parameters, inputs, dims: dims, groups: (count + 3) / 4, &activations, &outputs)
        let bias = parameters[blocks * stride][0]
        var loss = 0.0
        var total = 0.0
        for example in 0..<count {
            let difference = outputs[example].sum() + bias - labels[example]
            loss += difference * difference
            errors[example] = 2 * difference / Double(count)
            total += errors[example]
        }
        gradient[blocks * stride] = Vector(total, 0, 0, 0)
        Self.backward(
            parameters, inputs, dims: dims, groups: (count + 3) / 4, activations, errors, &gradient)
        return loss / Double(count)
    }

    /// Fills activations and outputs.
    private static func forward(
        _ parameters: [Vector], _ inputs: [Vector], dims: Int, groups: Int,
        _ activations: inout [Vector], _ outputs: inout [Vector]
    ) {
        let stride = dims + 2
        let blocks = parameters.count / stride
        let parameters = parameters.span
        let inputs = inputs.span
        var activations = activations.mutableSpan
        var outputs = outputs.mutableSpan
        for place in 0..<groups * 4 { outputs[place] = .zero }
        for block in 0..<blocks {
            let units = parameters.extracting(block * stride..<(block + 1) * stride)
            let bias = units[dims]
            let second = units[dims + 1]
            for group in 0..<groups {
                let x = inputs.extracting(group * dims..<(group + 1) * dims)
                var (a, b, c, d) = (bias, bias, bias, bias)
                for coordinate in 0..<dims {
                    let weight = units[coordinate]
                    let values = x[coordinate]
                    a += weight * values[0]
                    b += weight * values[1]
                    c += weight * values[2]
                    d += weight * values[3]
                }
                let place = group * 4
                let start = block * groups * 4 + place
                (a, b) = (positivePart(a), positivePart(b))
                (c, d) = (positivePart(c), positivePart(d))
                activations[start] = a
                activations[start + 1] = b
                activations[start + 2] = c
                activations[start + 3] = d
                outputs[place] += a * second
                outputs[place + 1] += b * second
                outputs[place + 2] += c * second
                outputs[place + 3] += d * second
            }
        }
    }

    /// Fills the gradient from activations and errors.
    private static func backward(
        _ parameters: [Vector], _ inputs: [Vector], dims: Int, groups: Int,
        _ activations: [Vector], _ errors: [Double], _ gradient: inout [Vector]
    ) {
        let stride = dims + 2
        let blocks = parameters.count / stride
        let parameters = parameters.span
        let inputs = inputs.span
        let errors = errors.span
        let activations = activations.span
        var gradient = gradient.mutableSpan
        for block in 0..<blocks {
            let start = block * stride
            let second = parameters[start + dims + 1]
            for place in start..<start + stride { gradient[place] = .zero }
            for group in 0..<groups {
                let x = inputs.extracting(group * dims..<(group + 1) * dims)
                let first = (block * groups + group) * 4
                // Four examples at once: ∂L/∂(W₁x + b₁) is the error times W₂ where the unit is at work.
                let (a, b) = (activations[first], activations[first + 1])
                let (c, d) = (activations[first + 2], activations[first + 3])
                let (e, f) = (errors[group * 4], errors[group * 4 + 1])
                let (g, h) = (errors[group * 4 + 2], errors[group * 4 + 3])
                let products = (a * e, b * f, c * g, d * h)
                gradient[start + dims + 1] += (products.0 + products.1) + (products.2 + products.3)
                let zero = Vector.zero
                let da = zero.replacing(with: second * e, where: a .> zero)
                let db = zero.replacing(with: second * f, where: b .> zero)
                let dc = zero.replacing(with: second * g, where: c .> zero)
                let dd = zero.replacing(with: second * h, where: d .> zero)
                gradient[start + dims] += (da + db) + (dc + dd)
                for coordinate in 0..<dims {
                    let values = x[coordinate]
                    let near = da * values[0] + db * values[1]
                    let far = dc * values[2] + dd * values[3]
                    gradient[start + coordinate] += near + far
                }
            }
        }
    }

    /// One step of Adam; Kingma and Ba, "Adam: A Method for Stochastic Optimization" (2015), algorithm 1.
    ///
    /// - Parameters:
    ///   - correction1: 1 − β₁ᵗ at step t = 1, 2, …
    ///   - correction2: 1 − β₂ᵗ
    private static func update(
        _ parameters: inout [Vector], _ gradient: [Vector], _ firstMoments: inout [Vector],
        _ secondMoments: inout [Vector], correction1: Double, correction2: Double
    ) {
        let rate = Self.learningRate / correction1
        let inverseRoot = 1 / correction2.squareRoot()
        let gradient = gradient.span
        var parameters = parameters.mutableSpan
        var firstMoments = firstMoments.mutableSpan
        var secondMoments = secondMoments.mutableSpan
        for place in 0..<parameters.count {
            let slope = gradient[place]
            let first = beta1 * firstMoments[place] + (1 - beta1) * slope
            let second = beta2 * secondMoments[place] + (1 - beta2) * (slope * slope)
            firstMoments[place] = first
            secondMoments[place] = second
            let scale = second.squareRoot() * inverseRoot + epsilon
            parameters[place] -= rate * first / scale
        }
    }

    /// max(v, 0)
    @inline(__always)
    private static func positivePart(_ vector: Vector) -> Vector {
        vector.replacing(with: 0, where: vector .< 0)
    }
}
