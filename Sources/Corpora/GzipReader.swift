import CZlib
import Foundation
import Platform

/// The contents of a gzip file, unpacked as it is read; several members after each other are one text (RFC 1952).
final class GzipReader {
    private let path: String
    private let file: InputFile
    private let stream: z_streamp
    private var input: [UInt8]
    private var position = 0
    private var isWithinMember = true

    /// - Parameters:
    ///   - path: the file's name, for messages.
    ///   - file: where it is read.
    ///   - start: what was read of it already.
    init(_ path: String, _ file: InputFile, start: Data) throws(CorpusError) {
        guard let stream = sandbox_inflate_begin() else {
            throw CorpusError(path, "there is no memory to unpack it.")
        }
        self.path = path
        self.file = file
        self.stream = stream
        input = [UInt8](start)
    }

    deinit { sandbox_inflate_end(stream) }

    /// Whether `start`, the beginning of a file, is gzip's.
    static func isGzip(_ start: Data) -> Bool { start.starts(with: [0x1F, 0x8B]) }

    /// The next bytes; none at the end.
    ///
    /// - Throws: ``CorpusError`` when the file ends too early, or a checksum or its structure is wrong.
    func next() throws -> Data {
        while try hasInput() {
            let bytes = try unpack()
            if !bytes.isEmpty { return bytes }
        }
        guard !isWithinMember else {
            throw CorpusError(
                path, "its gzip data ends too early; the file was cut: fetch or compress it again.")
        }
        return Data()
    }

    /// Whether there is more to unpack; reads on where that is needed.
    private func hasInput() throws -> Bool {
        while true {
            // Behind a member zeros may fill up a block.
            while !isWithinMember && position < input.count && input[position] == 0 {
                position += 1
            }
            if position < input.count { return true }
            input = [UInt8](try file.next())
            position = 0
            if input.isEmpty { return false }
        }
    }

    private func unpack() throws(CorpusError) -> Data {
        if !isWithinMember {
            inflateReset(stream)
            isWithinMember = true
        }
        var output = [UInt8](repeating: 0, count: 1 << 16)
        let code = sandbox_inflate(
            stream, input, UInt32(position), UInt32(input.count), &output, UInt32(output.count))
        guard code == Z_OK || code == Z_STREAM_END else {
            throw CorpusError(path, "its gzip data is damaged; fetch or compress it again.")
        }
        position = input.count - Int(stream.pointee.avail_in)
        isWithinMember = code == Z_OK
        return Data(output[..<(output.count - Int(stream.pointee.avail_out))])
    }
}
