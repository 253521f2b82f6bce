import Statistics
import Testing

/// Areas, finite rows and the escape from a plateau on curves of known answers.
@Suite struct CurveMeasureTests {
    // MARK: Area against ln step

    @Test func areaByHand() {
        // ln step is 0, 1, 2 and 4 times ln 2: trapezoids of ½, 2 and 2 · 2 over a range of 4.
        let areas = areaAgainstLogStep(
            [[0, 7], [1, 7], [3, 7], [1, 7]], steps: [1, 2, 4, 16])
        #expect(areas.count == 2)
        #expect(abs(areas[0] - 6.5 / 4) < 1e-6)
        #expect(abs(areas[1] - 7) < 1e-6)
    }

    /// Steps on a common factor, and a record on the line between its neighbours, change nothing.
    @Test func areaDependsOnRatiosOfStepsAlone() {
        let area = areaAgainstLogStep([[1], [5]], steps: [3, 48])[0]
        #expect(abs(area - 3) < 1e-6)
        let finer = areaAgainstLogStep([[1], [2], [5]], steps: [30, 60, 480])[0]
        #expect(abs(finer - 3) < 1e-6)
    }

    /// A curve that rises sooner, to the same height, has the larger area.
    @Test func areaRewardsRisingSooner() {
        let steps = [1, 10, 100, 1000]
        let sooner = areaAgainstLogStep([[0], [1], [1], [1]], steps: steps)[0]
        let later = areaAgainstLogStep([[0], [0], [0], [1]], steps: steps)[0]
        #expect(abs(sooner - 2.5 / 3) < 1e-6 && abs(later - 0.5 / 3) < 1e-6)
    }

    @Test func promptsLeftOutAtAnyStepHaveNoArea() {
        let first = areaAgainstLogStep(
            [[1, .nan, 1, 1], [1, 1, 1, 1], [1, 1, 1, .nan]], steps: [1, 2, 4])
        let second = areaAgainstLogStep(
            [[2, 2, 2, 2], [2, 2, 2, 2], [2, 2, .infinity, 2]], steps: [1, 2, 4])
        #expect(finiteRows([first]) == [0, 2])
        #expect(finiteRows([first, second]) == [0])
        #expect(areaAgainstLogStep([[], []], steps: [1, 2]) == [])
    }

    // MARK: Finite rows

    @Test func conditionsKeepTheSameRows() {
        let a: [Float] = [1, .nan, 3, 4, 5]
        let b: [Float] = [10, 20, 30, -.infinity, 50]
        let rows = finiteRows([a, b])
        #expect(rows == [0, 2, 4])
        #expect(selecting(a, rows: rows) == [1, 3, 5])
        #expect(selecting(b, rows: rows) == [10, 30, 50])
        #expect(finiteRows([[.nan, .nan]]) == [])
        #expect(finiteRows([[], []]) == [])
    }

    // MARK: Escape

    private let steps = [0, 10, 20, 30, 40, 50, 60, 70]

    @Test func escapeIsTheFirstRecordOfTheLastStay() {
        // Below half at 10, back at 20, below for good from 40 on.
        let values = [1, 0.3, 0.9, 0.6, 0.4, 0.2, 0.1, 0.1]
        #expect(escapeStep(steps: steps, values: values, plateau: 1, window: 1) == 40)
        // Trailing means of three: 0.733, 0.6, 0.633, 0.4, 0.233, 0.133 from record 2 on.
        #expect(escapeStep(steps: steps, values: values, plateau: 1, window: 3) == 50)
        #expect(escapeStep(steps: steps, values: values, plateau: 1, window: 3, share: 0.7) == 30)
        #expect(escapeStep(steps: steps, values: values, plateau: 2, window: 3) == 20)
        // Only the whole record is left: mean 0.45.
        #expect(escapeStep(steps: steps, values: values, plateau: 1, window: 8) == 70)
        #expect(escapeStep(steps: steps, values: values, plateau: 0.9, window: 8) == nil)
    }

    @Test func thereIsNoEscapeFromAPlateauThatReturns() {
        let returned = [1, 1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.9]
        #expect(escapeStep(steps: steps, values: returned, plateau: 1, window: 1) == nil)
        // A window that forgives the last record sees an escape.
        #expect(escapeStep(steps: steps, values: returned, plateau: 1, window: 4) == 40)
        let flat = [Double](repeating: 1, count: 8)
        #expect(escapeStep(steps: steps, values: flat, plateau: 1, window: 2) == nil)
        // Exactly half is not below half.
        let half = [Double](repeating: 0.5, count: 8)
        #expect(escapeStep(steps: steps, values: half, plateau: 1, window: 2) == nil)
    }

    @Test func escapeAtTheEnds() {
        let low = [Double](repeating: 0.1, count: 8)
        #expect(escapeStep(steps: steps, values: low, plateau: 1, window: 1) == 0)
        #expect(escapeStep(steps: steps, values: low, plateau: 1, window: 3) == 20)
        #expect(escapeStep(steps: steps, values: low, plateau: 1, window: 9) == nil)
        #expect(escapeStep(steps: [], values: [], plateau: 1, window: 1) == nil)
        let late = [1, 1, 1, 1, 1, 1, 1, 0.1]
        #expect(escapeStep(steps: steps, values: late, plateau: 1, window: 1) == 70)
    }

    /// A record that is not a number is above the plateau for as long as a window holds it.
    @Test func recordsThatAreNotNumbersAreNotBelow() {
        let values = [1, 0.1, .nan, 0.1, 0.1, 0.1, 0.1, 0.1]
        #expect(escapeStep(steps: steps, values: values, plateau: 1, window: 1) == 30)
        #expect(escapeStep(steps: steps, values: values, plateau: 1, window: 3) == 50)
        let diverged = [1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, .nan]
        #expect(escapeStep(steps: steps, values: diverged, plateau: 1, window: 3) == nil)
    }
}
