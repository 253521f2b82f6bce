import Mechanism
import Platform

extension SweepOutput {
    /// Writes parameters.csv beside each summary.csv of a sweep that varies more than class and layout; one that an
    /// earlier request left goes when it says nothing any more.
    ///
    /// - Parameters:
    ///   - summary: the finished sweep.
    ///   - folder: the sweep's folder.
    /// - Returns: the files written.
    func writeParameters(_ summary: SweepSummary, to folder: String) throws -> [String] {
        let published = publish ? ["plots/\(summary.results.plan.name)"] : []
        return try ([folder] + published).compactMap { folder in
            let path = folder + "/parameters.csv"
            guard let table = summary.parameterTable() else {
                try Folder.remove(path)
                return nil
            }
            try Folder.create(folder)
            try table.write(to: path)
            return path
        }
    }
}
