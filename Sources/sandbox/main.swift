import Foundation
import Kernels
import Transformer
func bench(_ name: String, _ c: DecoderConfiguration, _ b: BatchShape, workers: Int, n: Int) {
    let d = Decoder(c)
    let p = d.initialParameters(seed: 0)
    let w = d.weights(in: p)
    let m = AdamMoments(count: p.count)
    let par = ParallelDecoder(d, workers: workers, batches: [b], forTraining: true)
    var best = 1e9
    for i in 0..<n {
        let t = Date()
        let r = par.lossAndGradients(weights: w, batch: b) { ex, ws in
            for e in 0..<ex.count { for t in stride(from: 0, to: b.length, by: 2) { ws.lossWeights[e*b.length+t] = 0.01; ws.inputs[(e*b.length+t)*c.inputDimension] = 1 } }
        }
        par.adamStep(parameters: p, moments: m, step: AdamStep(number: i+1, learningRate: 1e-4, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, decoupled: false, gradientScale: 1))
        best = min(best, Date().timeIntervalSince(t))
        _ = r
    }
    let ops = c.trainingOperations(examples: b.examples, length: b.length)
    print(name, workers, "ms", best*1000, "GFLOP/s", ops/best/1e9)
}
print(BLAS.kernelName, BLAS.version)
let a = FloatView(zeros: 256*1024), bb = FloatView(zeros: 1024*256), cc = FloatView(zeros: 256*1024)
var t0 = 1e9
for _ in 0..<50 { let t = Date(); matrixProduct(output: cc, a: a, b: bb, rows: 256, columns: 1024, inner: 256); t0 = min(t0, Date().timeIntervalSince(t)) }
print("sgemm GFLOP/s", 2*256.0*1024*256/t0/1e9)
for w in [1,2] {
bench("quick32 b128", DecoderConfiguration(inputDimension: 5, positionCount: 64, embeddingDimension: 64, layerCount: 4, headCount: 4), BatchShape(examples: 128, length: 32), workers: w, n: 30)
bench("quick64 b64", DecoderConfiguration(inputDimension: 5, positionCount: 64, embeddingDimension: 64, layerCount: 4, headCount: 4), BatchShape(examples: 64, length: 64), workers: w, n: 30)
bench("small82", DecoderConfiguration(inputDimension: 20, positionCount: 202, embeddingDimension: 128, layerCount: 6, headCount: 4), BatchShape(examples: 64, length: 82), workers: w, n: 5)
bench("standard82", DecoderConfiguration(inputDimension: 20, positionCount: 202, embeddingDimension: 256, layerCount: 12, headCount: 8), BatchShape(examples: 64, length: 82), workers: w, n: 2)
}
