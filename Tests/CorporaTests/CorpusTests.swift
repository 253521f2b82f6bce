import Corpora
import Experiments
import Foundation
import TestSupport
import Testing
import Tokenizers

/// What holds of a whole corpus.
@Suite struct CorpusTests {
    private let folder: TemporaryDirectory

    init() throws { folder = try TemporaryDirectory() }

    /// From `printf '4:text5:hello' | sha256sum` and `printf '8:messages4:user2:hi9:assistant3:é!' | sha256sum`.
    @Test func digestsAreOfTheContentAlone() {
        let document = CorpusDocument(
            .text("hello"), place: "a:1", domain: "d", fields: ["title": "t"])
        #expect(
            document.digest == "5fb001fe0f16e35310a33dc0c3c4c4f2853bfd4d95364bf7f050c313b9da8b34")
        #expect(CorpusDocument(.text("hello"), place: "b:2").digest == document.digest)
        let messages = [
            ChatMessage(role: .user, content: "hi"), ChatMessage(role: .assistant, content: "é!"),
        ]
        #expect(
            CorpusDocument(.messages(messages), place: "").digest
                == "74cba5ded0031879f6943ec83d479b4392baa538a2de9575792c89be4b8907a4")
    }

    @Test func textsThatAreCutOtherwiseAreOthers() {
        let contents: [DocumentContent] = [
            .completion(prompt: "ab", completion: "c"), .completion(prompt: "a", completion: "bc"),
            .completion(prompt: "a1:", completion: "c"),
            .completion(prompt: "a", completion: "1:c"),
            .preference(prompt: "ab", chosen: "c", rejected: "d"), .text("abc"),
        ]
        #expect(Set(contents.map { CorpusDocument($0, place: "").digest }).count == contents.count)
    }

    /// The corpus's hash is of its documents' digests, in order.
    @Test func theHashFollowsContentAndOrder() throws {
        let corpus = try folder.corpus(#"{"text": "a"}"#, #"{"text": "b"}"#)
        let digests = corpus.documents.map(\.digest).joined()
        #expect(corpus.hash == sha256Hex(Data(digests.utf8)))
        #expect(try folder.corpus(#"{"text":"a"}"#, "", #"{"text":"b"}"#).hash == corpus.hash)
        #expect(try folder.corpus(#"{"text": "b"}"#, #"{"text": "a"}"#).hash != corpus.hash)
        #expect(try folder.corpus(#"{"text": "a"}"#).hash != corpus.hash)
    }

    @Test func kindsAreNotMixed() throws {
        try folder.write("a", to: "a.txt")
        try folder.write(
            "{\"text\": \"b\"}\n{\"prompt\": \"c\", \"completion\": \"d\"}", to: "b.jsonl")
        #expect(
            folder.message { try Corpus.read(sources: [.file(folder.path)], skippingBad: true) }
                == "b.jsonl:2: it is a document of the kind 'completion', but a.txt is of the kind 'text'; "
                + "a corpus has one kind: train on each with its own objective.")
        #expect(try Corpus.kind(of: []) == nil)
        #expect(try Corpus.read(sources: [.file(folder.path)], limit: 2).kind == .text)
    }

    @Test func skippedLinesAreCountedAndTheFirstAreTold() throws {
        let lines = (0..<9).map { _ in "?" }.joined(separator: "\n")
        let corpus = try folder.corpus(#"{"text": "a"}"#, lines, skippingBad: true)
        #expect(corpus.skippedCount == 9 && corpus.skippedMessages.count == 5)
        #expect(corpus.skippedMessages[4].hasPrefix(folder.file("c.jsonl:6: it is no JSON object")))
        #expect(
            folder.message { try folder.corpus("?", "?", skippingBad: true) }.hasPrefix(
                "no document was found in 'c.jsonl'; the first that was skipped: c.jsonl:1: it is no"
            ))
    }

    /// What stands behind the last wanted document is not even looked at.
    @Test func limitsEndReading() throws {
        let path = try folder.write("{\"text\": \"a\"}\n{\"text\": \"b\"}\n?", to: "c.jsonl")
        let sources: [CorpusSource] = [.file(path), .file(folder.file("none"))]
        #expect(try Corpus.read(sources: sources, limit: 1).documents.map(\.text) == ["a"])
        #expect(try Corpus.read(sources: sources, limit: 2).documents.map(\.text) == ["a", "b"])
        #expect(
            folder.message { try Corpus.read(sources: sources, limit: 3) }.hasPrefix("c.jsonl:3: "))
    }

    @Test func sourcesHaveShortNames() {
        let sources: [CorpusSource] = [
            .file("data/pubmed.jsonl.gz"), .file("notes/"), .imported(.wordnet, path: "corpus"),
        ]
        #expect(sources.map(\.name) == ["pubmed", "notes", "wordnet"])
        #expect(sources.map(\.path) == ["data/pubmed.jsonl.gz", "notes/", "corpus"])
    }
}
