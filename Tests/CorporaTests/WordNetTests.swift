import Corpora
import TestSupport
import Testing

/// WordNet's data files: lines in the format of wndb(5WN).
@Suite struct WordNetTests {
    private static let license =
        "  1 This software and database is being provided to you.  \n  2 More.  \n"
    private static let nouns =
        license + """
            00001740 05 n 02 sea_otter 0 Enhydra_lutris 1 003 @ 00002000 n 0000 #m 00003000 n 0000 ~ 00004000 n 0101 | an otter  of the sea; "it cracks mussels"  

            00002000 44 n 0b a 0 b 0 c 0 d 0 e 0 f 0 g 0 h 0 i 0 j 0 k 0 000 | (letters) eleven of them | or more  

            """
    private static let verbs =
        license
        + "00001740 38 v 01 swim_on 0 001 @ 00002000 v 0000 02 + 02 00 + 08 00 | go on swimming  \n"
    private static let adjectives =
        license + """
            00001740 00 s 03 elect(ip) 0 chosen(a) 2 afloat(p) 0 001 & 00002000 a 0000 | on the water  
            00002000 01 a 01 marine 0 000 | of the sea  

            """
    private static let adverbs = license + "00001740 02 r 01 seaward 0 000 | toward the sea  \n"

    private let folder: TemporaryDirectory

    init() throws { folder = try TemporaryDirectory() }

    private func read(_ name: String, skippingBad: Bool = false) throws -> Corpus {
        try Corpus.read(
            sources: [.imported(.wordnet, path: folder.file(name))], skippingBad: skippingBad)
    }

    private func writeAll(in place: String) throws {
        try folder.write(Self.nouns, to: place + "data.noun")
        try folder.write(Self.verbs, to: place + "data.verb")
        try folder.write(Self.adjectives, to: place + "data.adj")
        try folder.write(Self.adverbs, to: place + "data.adv")
    }

    @Test(arguments: ["", "usr/share/wordnet/"])
    func synsetsAreReadable(place: String) throws {
        try writeAll(in: place)
        let documents = try read("").documents
        #expect(
            documents.map(\.text) == [
                "sea otter, Enhydra lutris (noun): an otter of the sea; \"it cracks mussels\"",
                "a, b, c, d, e, f, g, h, i, j, k (noun): (letters) eleven of them | or more",
                "swim on (verb): go on swimming",
                "elect, chosen, afloat (adjective): on the water", "marine (adjective): of the sea",
                "seaward (adverb): toward the sea",
            ])
        // Numbers 5, 44, 38, 0, 1 and 2 of lexnames(5WN).
        #expect(
            documents.map(\.domain) == [
                "noun.animal", "adj.ppl", "verb.motion", "adj.all", "adj.pert", "adv.all",
            ])
        #expect(documents[0].place == folder.file(place + "data.noun:3"))
        #expect(documents[2].place == folder.file(place + "data.verb:3"))
    }

    @Test func oneFileIsEnough() throws {
        try folder.write(Self.adverbs, to: "data.adv")
        #expect(try read("data.adv").documents.count == 1)
        #expect(
            folder.message { try read("") }.contains(
                ": there is no 'data.noun' of Debian's wordnet-base; get it by `apt-get download wordnet-base && "
            ))
    }

    @Test(arguments: [
        "00001740 02 r 01 seaward 0 000", "00001740 45 r 01 seaward 0 000 | beyond the names",
        "00001740 02 x 01 seaward 0 000 | no part of speech", "1740 02 r 01 a 0 000 | offset",
        "00001740 02 r 03 seaward 0 000 | fewer words", "00001740 02 r 00 000 | no words",
        "00001740 02 r 01 seaward 0 000 |  ", "| nothing", "seaward r 1 0 00001740",
    ])
    func otherLinesAreNamed(line: String) throws {
        try folder.write(Self.adverbs + line, to: "data.adv")
        #expect(
            folder.message { try read("data.adv") }.hasPrefix(
                "data.adv:4: it is not usable as a file of Debian's wordnet-base (the line is no synset); get it"
            ))
        let corpus = try read("data.adv", skippingBad: true)
        #expect(corpus.documents.count == 1 && corpus.skippedCount == 1)
    }

    @Test func aFileWithoutSynsetsIsRefused() throws {
        try folder.write(Self.license, to: "data.adv")
        #expect(
            folder.message { try read("data.adv") }.hasPrefix(
                "data.adv: it is not usable as a file of Debian's wordnet-base (it holds no synset); get it"
            ))
    }
}
