import Foundation
import Kernels
import TestSupport
import Testing

/// The shared checkers: each must pass what is right and fail what is wrong.
@Suite struct SupportTests {
    @Test func closenessFindsTheWorstElement() {
        let expected: [Float] = [1, 100, -4, 0]
        let near: [Float] = [1.0005, 100, -4, 0]
        let good = closeness(near, expected, relative: 1e-3)
        #expect(good.isWithin && good.worstIndex == 0)
        #expect(abs(good.shareOfAllowed - 0.5) < 1e-3 && abs(good.largestError - 5e-4) < 1e-6)
        #expect("\(good)".contains("50.0 % of the allowed error used at element 0 of 4"))
        #expect(!closeness(near, expected, relative: 1e-4).isWithin)
        #expect(
            closeness([1.05, 100, -4, 0.05], expected, relative: 1e-3, scale: .largest).isWithin)
        #expect(!closeness([1, 100, -4, 0.05], expected, relative: 1e-3).isWithin)
        #expect(closeness([1, 100, -4, 0.05], expected, relative: 1e-3, absolute: 0.06).isWithin)
    }

    @Test func closenessRefusesWhatIsNotANumber() {
        #expect(!closeness([Float.nan], [1], relative: 1).isWithin)
        #expect(!closeness([Float](), [1], relative: 1).isWithin)
        #expect(!closeness([Float(1), 2], [1], relative: 1).isWithin)
        #expect(!closeness([Float(1)], [.infinity], relative: 1).isWithin)
        #expect(!closeness([Float(1)], [.nan], relative: 1).isWithin)
        #expect(closeness([Float.infinity], [.infinity], relative: 0).isWithin)
        #expect(closeness([Float](), [], relative: 0).isWithin)
    }

    /// L(x) = Σ sin(xᵢ xᵢ₊₁), with its gradient.
    private func loss(_ x: [Float]) -> Double {
        zip(x, x.dropFirst()).reduce(0) { $0 + Double(sinf($1.0 * $1.1)) }
    }

    private func gradient(_ x: [Float]) -> [Float] {
        x.indices.map { i in
            (i > 0 ? cosf(x[i - 1] * x[i]) * x[i - 1] : 0)
                + (i + 1 < x.count ? cosf(x[i] * x[i + 1]) * x[i + 1] : 0)
        }
    }

    @Test(arguments: 0..<20)
    func gradientCheckTellsRightFromWrong(_ seed: UInt64) {
        var generator = TestGenerator(seed: 100 + seed)
        let x = generator.normals(50)
        var slopes = gradient(x)
        let right = checkGradient(at: x, gradient: slopes, seed: seed, loss: loss)
        #expect(right.isWithin, "\(right)")
        #expect(right.relativeError < 2e-4, "\(right)")
        slopes[7] += 0.5
        let wrong = checkGradient(at: x, gradient: slopes, seed: seed, loss: loss)
        #expect(!wrong.isWithin, "\(wrong)")
        let scaled = checkGradient(
            at: x, gradient: gradient(x).map { 1.01 * $0 }, seed: seed, loss: loss)
        #expect(!scaled.isWithin, "\(scaled)")
    }

    @Test func gradientCheckRestoresThePoint() {
        let view = FloatView([1, 2, 3])
        let check = checkGradient(at: view, gradient: [0, 0, 0]) { 5 }
        #expect(check.isWithin && check.relativeError == 0)
        #expect(view.array == [1, 2, 3])
        let zero = checkGradient(at: view, gradient: [0, 0, 0]) { Double(view[0]) }
        #expect(!zero.isWithin, "\(zero)")
        let notANumber = checkGradient(at: view, gradient: [.nan, 0, 0]) { Double(view[0]) }
        #expect(!notANumber.isWithin, "\(notANumber)")
    }

    @Test func temporaryDirectoryGoes() throws {
        var directory: TemporaryDirectory? = try TemporaryDirectory()
        let path = try directory?.write("text", to: "file") ?? ""
        #expect(FileManager.default.fileExists(atPath: path))
        directory = nil
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test func childProcessGivesOutputAndStatus() throws {
        let outcome = try run(
            "/bin/sh", ["-c", "cat; echo $A$HOME; echo bad >&2; exit 7"],
            environment: ["A": "set", "HOME": nil], input: "in ")
        #expect(outcome.exitCode == 7 && outcome.signal == nil)
        #expect(outcome.output == "in set\n" && outcome.errors == "bad\n")
        let large = try run("/bin/sh", ["-c", "seq 1 100000; seq 1 100000 >&2"])
        #expect(large.exitCode == 0 && large.output.count == 588_895)
    }

    @Test func childProcessTakesSignals() throws {
        let child = try ChildProcess(
            "/bin/sh",
            ["-c", "trap 'echo caught; exit 75' INT; echo ready; while :; do sleep 0.01; done"])
        try child.wait { $0.output.contains("ready") }
        child.send(signal: SIGINT)
        let outcome = try child.wait()
        #expect(outcome.exitCode == 75 && outcome.output == "ready\ncaught\n", "\(outcome)")
        let killed = try ChildProcess("sleep", ["30"])
        killed.send(signal: SIGKILL)
        #expect(try killed.wait().signal == SIGKILL)
    }

    @Test func childProcessTimesOut() throws {
        #expect(throws: ChildProcess.Failure.self) { try run("sleep", ["30"], timeout: 0.05) }
        #expect(throws: ChildProcess.Failure.self) {
            try ChildProcess("true").wait { $0.output.contains("never") }
        }
        #expect(throws: ChildProcess.Failure.self) { try run("/no/such/program") }
    }

    @Test func builtProgramsAreFound() throws {
        #expect(try run(builtProgram("sandbox"), ["--help"]).exitCode == 0)
        #expect(throws: ChildProcess.Failure.self) { try builtProgram("no-such-program") }
    }
}
