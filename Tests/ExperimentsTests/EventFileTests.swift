import Foundation
import Platform
import Testing

@testable import Experiments

@Suite struct EventFileTests {
    private let time = Date(timeIntervalSince1970: 1_700_000_000)

    /// Step `step`'s record, the same in every run.
    private func append(_ step: Int, to writer: EventWriter) throws {
        try writer.append(
            step: step, time: time.addingTimeInterval(Double(step)),
            scalars: [(tag: "train/loss", value: 1 / Double(step)), (tag: "perf/x", value: 3)])
    }

    private func steps(_ path: String) throws -> [Int] { try EventReader.read(path).map(\.step) }

    /// A file of `count` steps and the byte offset behind each record, the version's first.
    private func sample(_ count: Int, in folder: TemporaryFolder) throws -> (String, [Int]) {
        let writer = try EventWriter(creatingIn: folder.file("run"), time: time)
        var ends = [try writer.byteLength]
        for step in 1...count {
            try append(step, to: writer)
            ends.append(try writer.byteLength)
        }
        return (writer.path, ends)
    }

    private func bytes(_ path: String) throws -> [UInt8] { [UInt8](try WholeFile.read(path)) }

    private func overwrite(_ path: String, _ bytes: some Sequence<UInt8>) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: path))
    }

    @Test func namesNeverCollide() throws {
        let folder = try TemporaryFolder()
        let run = folder.file("a/run")
        let paths = try (0..<3).map { _ in try EventWriter(creatingIn: run, time: time).path }
        let process = ProcessInfo.processInfo
        let stem = "events.out.tfevents.1700000000.\(process.hostName)."
        #expect(
            paths.map(Path.name) == (0..<3).map { "\(stem)\(process.processIdentifier).\($0)" })
        #expect(try EventFile.paths(in: run) == paths)
        let early = EventFile.freshPath(in: run, time: Date(timeIntervalSince1970: 7))
        #expect(Path.name(of: early).hasPrefix("events.out.tfevents.0000000007."))
        try folder.write("no event file", to: "a/run/metrics.jsonl")
        #expect(try EventFile.paths(in: run) == paths)
        #expect(try EventFile.paths(in: folder.file("missing")) == [])
    }

    @Test func readsBackWhatItWrote() throws {
        let folder = try TemporaryFolder()
        let writer = try EventWriter(creatingIn: folder.path, time: time)
        try writer.appendHyperparameters(
            ["layout": "cft", "n": 3, "on": true], groupName: "cft-s0", time: time)
        try writer.append(Event(step: 0, time: time, tag: "config", .text("a: é\n")))
        try writer.append(
            step: 2, time: time, scalars: [(tag: "a/b", value: 0.1), (tag: "c", value: -.infinity)])
        try writer.append(
            Event(step: 3, time: time, tag: "figure", .image(Event.Image(png: Data(samplePNG)))))
        try writer.appendSessionEnd(status: .failure, time: time)
        try writer.synchronize()
        let events = try EventReader.read(writer.path)
        #expect(events.allSatisfy { $0.wallTime == 1_700_000_000 })
        #expect(events.map(\.step) == [0, 0, 2, 3, 0])
        let contents = events.flatMap { $0.values.map(\.content) }
        let image = Event.Image(width: 3, height: 2, channels: 4, png: Data(samplePNG))
        let session = Event.Session(
            hyperparameters: ["layout": "cft", "n": 3.0, "on": true], groupName: "cft-s0",
            startTime: 1_700_000_000)
        #expect(
            contents == [
                .sessionStart(session), .text("a: é\n"), .scalar(0.1), .scalar(-.infinity),
                .image(image), .sessionEnd(.failure, time: 1_700_000_000),
            ])
        #expect(
            events.flatMap { $0.values.map(\.tag) } == [
                "_hparams_/session_start_info", "config", "a/b", "c", "figure",
                "_hparams_/session_end_info",
            ])
    }

    /// A kill between two bytes of the last record: the reader leaves it out, the writer takes it away.
    @Test func dropsAnUnterminatedTail() throws {
        let folder = try TemporaryFolder()
        let (path, ends) = try sample(3, in: folder)
        let whole = try bytes(path)
        for length in ends[2] + 1..<ends[3] {
            try overwrite(path, whole[..<length])
            #expect(try steps(path) == [1, 2])
            let writer = try EventWriter(path: path)
            #expect(try writer.byteLength == ends[2])
            try append(3, to: writer)
            #expect(try bytes(path) == whole)
        }
    }

    /// A power cut can leave a tail of the right length that holds zeros.
    @Test func dropsADamagedTail() throws {
        let folder = try TemporaryFolder()
        let (path, ends) = try sample(3, in: folder)
        let whole = try bytes(path)
        for start in [ends[2], ends[2] + 5, ends[2] + 20, ends[3] - 2] {
            let zeros = [UInt8](repeating: 0, count: ends[3] - start + 40)
            try overwrite(path, whole[..<start] + zeros)
            #expect(throws: SystemError.self) { try EventReader.read(path) }
            #expect(try EventWriter(path: path).byteLength == ends[2])
        }
        // Damage behind what the checkpoint counts is cut away unread, even in the middle.
        var damaged = whole
        damaged[ends[1] + 20] ^= 1
        try overwrite(path, damaged)
        #expect(try EventWriter(path: path, cutTo: ends[1]).byteLength == ends[1])
    }

    @Test func namesFileAndOffsetOfDamage() throws {
        let folder = try TemporaryFolder()
        let (path, ends) = try sample(3, in: folder)
        let whole = try bytes(path)
        let name = "run/" + Path.name(of: path)
        let cure =
            "; restore it, or delete the folder 'run' and ask for the run again, which makes it anew"
        for (offset, what) in [(3, "length"), (9, "length"), (15, "data"), (-1, "data")] {
            var damaged = whole
            damaged[offset < 0 ? ends[2] + offset : ends[1] + offset] ^= 0x10
            try overwrite(path, damaged)
            let message =
                "'\(name)' is damaged at byte \(ends[1]): the checksum of the record's \(what) is "
                + "wrong" + cure
            #expect(folder.message { try EventReader.read(path) } == message)
            #expect(folder.message { try EventWriter(path: path) } == message)
            #expect(folder.message { try EventWriter(path: path, cutTo: ends[2]) } == message)
            #expect(folder.message { try EventReader.read(path, first: ends[2]) } == message)
            #expect(try EventReader.read(path, first: ends[1]).map(\.step) == [1])
            #expect(try bytes(path) == damaged)

        }
        // A good checksum over bytes that are no event.
        try overwrite(path, whole[..<ends[0]] + EventRecord.framed([0x0A]))
        #expect(
            folder.message { try EventReader.read(path) }
                == "'\(name)' is damaged at byte \(ends[0] + 12): the record's data are no event"
                + cure)
    }

    @Test func resumedFileEqualsAnUndisturbedOne() throws {
        let folder = try TemporaryFolder()
        let (path, _) = try sample(10, in: folder)
        let undisturbed = try bytes(path)
        let resumed = folder.file("resumed")
        var stored = 0
        do {
            let writer = try EventWriter(creatingIn: resumed, time: time)
            for step in 1...7 {
                try append(step, to: writer)
                if step == 4 { stored = try writer.byteLength }
            }
        }
        let file = try #require(try EventFile.paths(in: resumed).first)
        try overwrite(file, try bytes(file).dropLast(5))
        let writer = try EventWriter(path: file, cutTo: stored)
        for step in 5...10 { try append(step, to: writer) }
        #expect(try bytes(file) == undisturbed)
        #expect(try steps(file) == Array(1...10))
    }

    @Test func refusesAFileThatIsShorterThanItsCheckpoint() throws {
        let folder = try TemporaryFolder()
        let (path, ends) = try sample(4, in: folder)
        let whole = try bytes(path)
        let refusal =
            "'run/\(Path.name(of: path))' has \(ends[4]) bytes, but its checkpoint was written at "
            + "\(ends[4] + 1); the file was cut or replaced: restore it, or delete the folder 'run' to train it anew"
        #expect(folder.message { try EventWriter(path: path, cutTo: ends[4] + 1) } == refusal)
        #expect(try bytes(path) == whole)
    }

    @Test func startsEmptyFilesAndRefusesForeignOnes() throws {
        let folder = try TemporaryFolder()
        let version = EventRecord.framed(Event.versionMessage(wallTime: 1_700_000_000))
        let zeros = String(repeating: "\0", count: 100)
        for (index, text) in ["", "\u{18}\0\0", zeros].enumerated() {
            let path = try folder.write(text, to: "\(index)")
            #expect(try EventWriter(path: path, time: time).byteLength == version.count)
            #expect(try bytes(path) == version)
        }
        #expect(try EventWriter(path: folder.file("new"), time: time).byteLength == version.count)
        let text = try folder.write("layout: cft, and more than a header's length", to: "a.yaml")
        let message =
            "'a.yaml' is no TensorBoard event file: it does not start with a record that says "
            + "brain.Event:2; give another path"
        #expect(folder.message { try EventWriter(path: text) } == message)
        #expect(folder.message { try EventReader.read(text) } == message)
        #expect(try folder.text("a.yaml").hasPrefix("layout: cft, and more"))
        let old = ProtobufMessage { $0.string(3, "brain.Event:1") }.bytes
        try overwrite(text, EventRecord.framed(old))
        #expect(folder.message { try EventReader.read(text) } == message)
    }

    @Test func replacesCurvesWhole() throws {
        let folder = try TemporaryFolder()
        let curve = folder.file("curves/cft.standard")
        func events(_ scale: Double) -> [Event] {
            (0..<5).map { k in
                Event(step: k, time: time, scalars: [(tag: "squared_error", value: scale / 2)])
            }
        }
        let first = try EventFile.replace(in: curve, events: events(1), time: time)
        try folder.write("half", to: "curves/cft.standard/\(Path.name(of: first)).writing-1")
        let second = try EventFile.replace(in: curve, events: events(3), time: time)
        #expect(first != second)
        #expect(try Folder.contents(of: curve) == [Path.name(of: second)])
        #expect(try EventReader.read(second) == events(3))
        let writer = try EventWriter(path: second)
        try append(6, to: writer)
        #expect(try steps(second) == [0, 1, 2, 3, 4, 6])
        let blocked = try folder.write("", to: "file") + "/curves"
        #expect(
            folder.message { try EventFile.replace(in: blocked, events: events(1)) }
                == "cannot create the folder 'file/curves': Not a directory; 'file' is a file: name another folder or "
                + "remove it")
    }
}
