import Foundation
import Platform
import Testing

@Suite struct FolderDiscardingTests {
    @Test func discardedFoldersAreGone() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/run"
        try Folder.create(path + "/checkpoints/step_1")
        try AtomicFile.write("x", to: path + "/checkpoints/step_1/state.json")
        try Folder.discard(path)
        #expect(try Folder.contents(of: folder.path) == [])
        try Folder.discard(path)
    }

    @Test func leftoversOfTheDeadAreClearedAndThoseOfTheLivingStay() throws {
        let folder = try TemporaryFolder()
        // The process id 2^22 + 1 is above Linux's highest.
        let dead = "run-1a2b3c4d.removed-4194305"
        let living = "run-1a2b3c4d.removed-\(getpid())"
        for name in [dead, living, "run-1a2b3c4d", "notes.removed-not"] {
            try Folder.create("\(folder.path)/\(name)")
        }
        try Folder.clearDiscarded(in: folder.path)
        #expect(
            try Folder.contents(of: folder.path)
                == ["notes.removed-not", "run-1a2b3c4d", living].sorted())
        #expect(Folder.isUnfinished(living) && !Folder.isUnfinished("run-1a2b3c4d"))
    }
}
