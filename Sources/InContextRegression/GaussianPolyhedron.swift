import Foundation
import Randomness

/// A point v ~ N(0, I_r) of which products a_j · v are held in ranges, sampled one coordinate at a time.
struct GaussianPolyhedron {
    /// r
    let dims: Int
    /// The present point v: [r]
    private(set) var point: [Double]
    /// a_j: [ranges, r]
    private var rows: [Double] = []
    private var lower: [Double] = []
    private var upper: [Double] = []
    /// a_j · v
    private var products: [Double] = []

    init(dims: Int) {
        self.dims = dims
        point = [Double](repeating: 0, count: dims)
    }

    /// Holds a · v in a range.
    mutating func add(_ row: [Double], lower: Double, upper: Double) {
        rows += row
        self.lower.append(lower)
        self.upper.append(upper)
        products.append(0)
    }

    /// Goes from `guess` to a point within all ranges, by relaxation: over and over, across the nearest bound of the
    /// range that is missed by most (Agmon, "The Relaxation Method for Linear Inequalities", 1954).
    ///
    /// A range that 10,000 steps do not reach, narrower than rounding can tell, is widened to where the point is.
    mutating func start(near guess: [Double]) {
        point = guess
        for _ in 0..<10_000 {
            updateProducts()
            var (worst, distance) = (-1, 0.0)
            for range in products.indices {
                let miss = miss(range) / length(range)
                if abs(miss) > abs(distance) { (worst, distance) = (range, miss) }
            }
            if worst < 0 { return }
            let scale = 1.5 * distance / length(worst)
            for index in 0..<dims { point[index] += scale * rows[worst * dims + index] }
        }
        updateProducts()
        for range in products.indices {
            lower[range] = min(lower[range], products[range])
            upper[range] = max(upper[range], products[range])
        }
    }

    /// Draws every coordinate once from its distribution given the others.
    mutating func sweep(_ generator: inout CounterGenerator) {
        for index in 0..<dims {
            let old = point[index]
            var (least, most) = (-Double.infinity, Double.infinity)
            for range in products.indices {
                let slope = rows[range * dims + index]
                if slope == 0 { continue }
                let first = old + (lower[range] - products[range]) / slope
                let second = old + (upper[range] - products[range]) / slope
                least = max(least, min(first, second))
                most = min(most, max(first, second))
            }
            // Rounding may leave no room at a vertex.
            if least >= most { continue }
            let new = generator.normal(in: least...most)
            point[index] = new
            for range in products.indices {
                products[range] += (new - old) * rows[range * dims + index]
            }
        }
    }

    private mutating func updateProducts() {
        for range in products.indices {
            var sum = 0.0
            for index in 0..<dims { sum += rows[range * dims + index] * point[index] }
            products[range] = sum
        }
    }

    /// What has to be added to a_j · v to reach its range.
    private func miss(_ range: Int) -> Double {
        if products[range] < lower[range] { return lower[range] - products[range] }
        return min(upper[range] - products[range], 0)
    }

    /// ‖a_j‖; 1 for a row that the equations fix, which no step can move.
    private func length(_ range: Int) -> Double {
        var sum = 0.0
        for index in 0..<dims { sum += rows[range * dims + index] * rows[range * dims + index] }
        return sum > 0 ? sum.squareRoot() : 1
    }
}

extension CounterGenerator {
    /// A standard normal number given that it lies in `range`, by rejection (Robert, "Simulation of Truncated Normal
    /// Variables", 1995): from the uniform distribution where the density changes little over the range, from the
    /// exponential one in a tail, from the normal one otherwise.
    mutating func normal(in range: ClosedRange<Double>) -> Double {
        let (low, high) = (range.lowerBound, range.upperBound)
        if high < 0 { return -normal(in: -high ... -low) }
        if low > 0 {
            let rate = (low + (low * low + 4).squareRoot()) / 2
            if (high - low) * rate < 2 { return uniformRejection(low, high, best: low) }
            while true {
                let x = low - log(1 - uniform()) / rate
                let exponent = (x - rate) * (x - rate) / 2
                if x <= high && uniform() <= exp(-exponent) { return x }
            }
        }
        if high - low < 2.5 { return uniformRejection(low, high, best: 0) }
        while true {
            let radius = (-2 * log(1 - uniform())).squareRoot()
            let x = radius * cos(2 * Double.pi * uniform())
            if range.contains(x) { return x }
        }
    }

    /// `best` is the place of greatest density.
    private mutating func uniformRejection(_ low: Double, _ high: Double, best: Double) -> Double {
        while true {
            let x = low + (high - low) * uniform()
            if uniform() <= exp((best * best - x * x) / 2) { return x }
        }
    }
}
