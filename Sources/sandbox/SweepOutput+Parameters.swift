import Mechanism
import Platform

extension SweepOutput {
    /// Writes parameters.csv beside the summary.csv of a sweep that varies more than class and layout; one that an
    /// earlier request left goes when it says nothing any more.
    ///
    /// - Parameters:
    ///   - summary: the finished sweep.
    ///   - folder: the sweep's folder.
    /// - Returns: the file written; nil when there is nothing to say.
    func writeParameters(_ summary: SweepSummary, to folder: String) throws -> String? {
        let path = folder + "/parameters.csv"
        guard let table = summary.parameterTable() else {
            try Folder.remove(path)
            return nil
        }
        try table.write(to: path)
        return path
    }
}
