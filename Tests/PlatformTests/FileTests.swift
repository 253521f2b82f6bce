import Foundation
import Testing

@testable import Platform

@Suite struct AtomicFileTests {
    @Test func replacesAFileAndLeavesNothingBeside() throws {
        let folder = try TemporaryFolder()
        try AtomicFile.write("old", to: folder.file("a.txt"))
        try AtomicFile.write("new", to: folder.file("a.txt"))
        #expect(try folder.text("a.txt") == "new")
        #expect(try folder.names == ["a.txt"])
    }

    @Test func writesLargeDataWhole() throws {
        let folder = try TemporaryFolder()
        let data = Data((0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) })
        try AtomicFile.write(data, to: folder.file("a"))
        #expect(try WholeFile.read(folder.file("a")) == data)
    }

    @Test func namesPathAndReasonBelowARegularFile() throws {
        let folder = try TemporaryFolder()
        try AtomicFile.write("x", to: folder.file("a"))
        let path = folder.file("a/b")
        let cure = "; '\(folder.file("a"))' is a file: name another folder or remove it"
        let error = #expect(throws: SystemError.self) { try AtomicFile.write("y", to: path) }
        #expect(error?.description == "cannot write '\(path)': Not a directory\(cure)")
        let link = #expect(throws: SystemError.self) {
            try AtomicFile.replaceSymbolicLink(at: path, to: "t")
        }
        #expect(link?.description == "cannot link '\(path)': Not a directory\(cure)")
        let made = #expect(throws: SystemError.self) { try Folder.create(path + "/c") }
        #expect(made?.code == ENOTDIR)
    }

    @Test func saysWhetherAFolderCouldBeMade() throws {
        let folder = try TemporaryFolder()
        try AtomicFile.write("x", to: folder.file("a"))
        try Folder.requireCreatable(folder.file("b/c/d"))
        try Folder.requireCreatable(folder.file("b"))
        #expect(try folder.names == ["a"])
        for path in ["a", "a/b", "a/b/c"] {
            let error = #expect(throws: SystemError.self) {
                try Folder.requireCreatable(folder.file(path))
            }
            #expect(error?.code == ENOTDIR)
            #expect(error?.description.contains("'\(folder.file("a"))' is a file") == true)
        }
        try AtomicFile.replaceSymbolicLink(at: folder.file("link"), to: "nowhere")
        for path in ["link", "link/b"] {
            let error = #expect(throws: SystemError.self) {
                try Folder.requireCreatable(folder.file(path))
            }
            #expect(
                error?.description
                    == "cannot create the folder '\(folder.file("link"))': File exists; remove it or name another"
            )
            #expect(throws: SystemError.self) { try Folder.create(folder.file(path)) }
        }
    }

    @Test(.enabled(if: geteuid() != 0, "the system administrator may write everywhere"))
    func saysThatAFolderMustNotBeWrittenIn() throws {
        let folder = try TemporaryFolder()
        try Folder.create(folder.file("closed"))
        #expect(chmod(folder.file("closed"), 0o555) == 0)
        defer { chmod(folder.file("closed"), 0o755) }
        let error = #expect(throws: SystemError.self) {
            try Folder.requireCreatable(folder.file("closed/b/c"))
        }
        #expect(error?.code == EACCES)
        #expect(error?.description.contains("cannot write in '\(folder.file("closed"))'") == true)
    }

    @Test func removesItsTemporaryFileWhenTheRenameFails() throws {
        let folder = try TemporaryFolder()
        try Folder.create(folder.file("target/inner"))
        #expect(throws: SystemError.self) { try AtomicFile.write("y", to: folder.file("target")) }
        #expect(try folder.names == ["target"])
    }

    @Test func replacesSymbolicLinks() throws {
        let folder = try TemporaryFolder()
        let link = folder.file("latest")
        try AtomicFile.replaceSymbolicLink(at: link, to: "one")
        try AtomicFile.replaceSymbolicLink(at: link, to: "two")
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == "two")
        #expect(try folder.names == ["latest"])
    }

    @Test func publishesFoldersInPlaceOfOldOnes() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("step")
        for text in ["first", "second"] {
            try AtomicFile.publishFolder(at: path) { partial in
                #expect(partial != path)
                try Folder.create(partial + "/inner")
                try AtomicFile.write(text, to: partial + "/inner/\(text)")
            }
        }
        #expect(try folder.names == ["step"])
        #expect(try Folder.contents(of: path + "/inner") == ["second"])
    }

    @Test func keepsTheOldFolderWhenFillingFails() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("step")
        try AtomicFile.publishFolder(at: path) { try AtomicFile.write("1", to: $0 + "/a") }
        #expect(throws: CancellationError.self) {
            try AtomicFile.publishFolder(at: path) { partial in
                try AtomicFile.write("2", to: partial + "/a")
                throw CancellationError()
            }
        }
        #expect(try folder.names == ["step"])
        #expect(try folder.text("step/a") == "1")
    }

    @Test func recoversWhatACrashLeft() throws {
        let folder = try TemporaryFolder()
        for name in ["half.partial-7", "gone.replaced-7", "kept.replaced-7", "kept"] {
            try Folder.create(folder.file(name))
            try AtomicFile.write(name, to: folder.file(name + "/a"))
        }
        try "x".write(toFile: folder.file("f.writing-7-1"), atomically: false, encoding: .utf8)
        try Folder.recover(folder.path)
        #expect(try folder.names == ["gone", "kept"])
        #expect(try folder.text("gone/a") == "gone.replaced-7")
        #expect(try folder.text("kept/a") == "kept")
    }

    @Test func removeTakesTheLinkAndNotItsTarget() throws {
        let folder = try TemporaryFolder()
        try Folder.create(folder.file("target"))
        try AtomicFile.write("x", to: folder.file("target/a"))
        try Folder.create(folder.file("tree/deep"))
        try AtomicFile.replaceSymbolicLink(
            at: folder.file("tree/deep/link"), to: folder.file("target"))
        try Folder.remove(folder.file("tree"))
        try Folder.remove(folder.file("never there"))
        #expect(try folder.names == ["target"])
        #expect(try folder.text("target/a") == "x")
    }

    @Test func refusesToReadFoldersMissingAndLongFiles() throws {
        let folder = try TemporaryFolder()
        try AtomicFile.write("12345", to: folder.file("a"))
        #expect(try WholeFile.read(folder.file("a"), maximumBytes: 5).count == 5)
        let cases = [
            (folder.file("a"), "it is longer than 4 bytes"),
            (
                folder.path,
                "Is a directory; it is a folder: name a file, or move it away if it stands in a file's place"
            ),
            (folder.file("b"), "No such file or directory"),
        ]
        for (path, reason) in cases {
            let error = #expect(throws: SystemError.self) {
                try WholeFile.read(path, maximumBytes: 4)
            }
            #expect(error?.description == "cannot read '\(path)': \(reason)")
        }
    }
}

@Suite struct CureTests {
    @Test func permissionsAreTheCureForReading() {
        let reading = SystemError.failed(to: "read", "a", code: EACCES)
        #expect(
            reading.description
                == "cannot read 'a': Permission denied; change its permissions, or those of the folders above it"
        )
        let writing = SystemError.failed(to: "write", "a", code: EACCES)
        #expect(writing.description.hasSuffix("; choose another place or change its permissions"))
    }

    @Test func aMissingFolderIsToBeMade() {
        let place = SystemError.failed(to: "write", "nowhere/deep/a", code: ENOENT)
        #expect(place.description.hasSuffix("; create the folder 'nowhere/deep' or name another"))
        let nameless = SystemError.failed(to: "write", "", code: ENOENT)
        #expect(nameless.description.hasSuffix("; the name is empty: name a file"))
        let reading = SystemError.failed(to: "read", "nowhere/a", code: ENOENT)
        #expect(reading.description == "cannot read 'nowhere/a': No such file or directory")
    }

    @Test func aFolderThatCannotBeMadeIsNamedByItsOwnName() throws {
        let folder = try TemporaryFolder()
        try AtomicFile.write("", to: folder.file("file"))
        let path = folder.file("file/new")
        let error = #expect(throws: SystemError.self) {
            try AtomicFile.publishFolder(at: path) { _ in }
        }
        #expect(error?.description.hasPrefix("cannot create the folder '\(path)': ") == true)
    }
}

@Suite struct AppendOnlyFileTests {
    @Test func countsWholeLinesAcrossChunks() throws {
        let folder = try TemporaryFolder()
        let file = try AppendOnlyFile(path: folder.file("a"))
        #expect(try file.byteLengthOfWholeLines == 0)
        try file.append(Data("one\n".utf8))
        // Longer than the chunk that is searched backwards at a time.
        try file.append(Data(repeating: UInt8(ascii: "x"), count: 200_000))
        #expect(try file.byteLengthOfWholeLines == 4)
        #expect(try file.byteLength == 200_004)
        try file.truncate(toByteLength: 2)
        #expect(try file.byteLengthOfWholeLines == 0)
        try file.append(Data("\n".utf8))
        #expect(try folder.text("a") == "on\n")
    }

    @Test func takesBackAShortWrite() throws {
        // /dev/full takes no byte; the sentence names it.
        let file = try AppendOnlyFile(path: "/dev/full")
        let error = #expect(throws: SystemError.self) { try file.append(Data("x".utf8)) }
        #expect(
            error?.description
                == "cannot append to '/dev/full': No space left on device; free some space and run the same command "
                + "again")
    }

    /// A limit cuts a write short before it refuses one, as a full disk does.
    @Test func namesTheFileSizeLimitAndTakesBackHalfARecord() async {
        await #expect(processExitsWith: .exitCode(3)) {
            FailedWrites.becomeErrors()
            let folder = try TemporaryFolder()
            let file = try AppendOnlyFile(path: folder.file("a"))
            try file.append(Data("whole\n".utf8))
            var limit = rlimit(rlim_cur: 10, rlim_max: 10)
            if setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) != 0 { exit(1) }
            do {
                try file.append(Data("too long\n".utf8))
            } catch let error as SystemError {
                let cure = "raise the file-size limit (ulimit -f) and run the same command again"
                let isTold = error.code == EFBIG && error.description.hasSuffix("; \(cure)")
                exit(try isTold && folder.text("a") == "whole\n" ? 3 : 2)
            }
        }
    }
}
