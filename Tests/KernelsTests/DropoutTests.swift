import Kernels
import TestSupport
import Testing

/// Dropout and scaling against plain loops, at counts on and off whole vectors.
@Suite struct DropoutTests {
    @Test(arguments: [1, 15, 16, 17, 100])
    func keepsWhatTheUniformNumbersSay(count: Int) {
        var generator = TestGenerator(seed: UInt64(count))
        let input = generator.normals(count)
        let before = generator.normals(count)
        let uniforms = (0..<count).map { _ in Float.random(in: 0..<1, using: &generator) }
        for adding in [false, true] {
            let output = FloatView(before)
            dropElements(
                output, FloatView(input), uniforms: FloatView(uniforms), probability: 0.25,
                adding: adding)
            let expected = (0..<count).map { index -> Float in
                let kept = uniforms[index] >= 0.25 ? input[index] * (1 / (1 - Float(0.25))) : 0
                return adding ? before[index] + kept : kept
            }
            #expect(firstDifference(output.array, expected) == nil)
        }
    }

    /// A number that equals the probability is kept, so that 0 leaves out nothing.
    @Test func probabilityZeroKeepsEverything() {
        let output = FloatView(zeros: 3)
        dropElements(
            output, FloatView([1, 2, 3]), uniforms: FloatView([0, 0.5, 0]), probability: 0)
        #expect(output.array == [1, 2, 3])
    }

    @Test func scalesEveryNumber() {
        let values = FloatView((0..<19).map(Float.init))
        scale(values, by: 0.5)
        #expect(values.array == (0..<19).map { Float($0) / 2 })
    }
}
