/// Gathers documents while sources are read.
struct CorpusBuilder {
    /// How many messages of skipped documents are kept.
    static let keptMessages = 5

    private(set) var documents: [CorpusDocument] = []
    /// Documents that could not be used.
    private(set) var skippedCount = 0
    /// Why, of the first few.
    private(set) var skippedMessages: [String] = []
    private let skippingBad: Bool
    private let limit: Int

    init(skippingBad: Bool = false, limit: Int? = nil) {
        self.skippingBad = skippingBad
        self.limit = limit ?? .max
    }

    /// Whether no more documents are wanted.
    var isFull: Bool { documents.count >= limit }

    /// Adds the document that `make` makes; one that cannot be made is counted where that is asked for.
    mutating func add(_ make: () throws(CorpusError) -> CorpusDocument) throws(CorpusError) {
        do {
            documents.append(try make())
        } catch {
            guard skippingBad else { throw error }
            skippedCount += 1
            if skippedMessages.count < Self.keptMessages {
                skippedMessages.append(error.description)
            }
        }
    }
}
