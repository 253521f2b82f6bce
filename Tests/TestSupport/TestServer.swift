import Experiments
import Foundation
import Synchronization

/// A small HTTP server on a port of its own, which answers by script and remembers what it was asked.
///
/// Over POSIX sockets, because some answers here are none that a proper server would give.
public final class TestServer: Sendable {
    /// What was asked.
    public struct Request: Sendable {
        /// Such as `POST /v1/chat/completions HTTP/1.1`.
        public let line: String
        /// By their names in lower case.
        public let headers: [String: String]
        /// What came behind the headers.
        public let body: Data
        /// When its first bytes came.
        public let time: ContinuousClock.Instant

        /// The body as JSON.
        public func json() throws -> JSONValue {
            try JSONDecoder().decode(JSONValue.self, from: body)
        }
    }

    /// An answer.
    public enum Reply: Sendable {
        /// A whole one.
        case status(Int, headers: [String: String] = [:], body: String = "")
        /// A completion with this content.
        case content(String)
        /// These bytes, whatever they are.
        case raw(String)
        /// None, and the connection stays open.
        case silence
        /// None, and the connection ends.
        case hangUp
    }

    /// The port at 127.0.0.1.
    public let port: Int
    private let listener: Int32
    private let script: @Sendable (Int, Request) -> Reply
    private let received = Mutex<[Request]>([])
    private let silent = Mutex<[Int32]>([])

    /// Listens at 127.0.0.1; `script` gives the answer to request 0, 1, ….
    public init(_ script: @escaping @Sendable (_ index: Int, _ request: Request) -> Reply) throws {
        self.script = script
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = listener
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(descriptor, pointer, length) == 0 && listen(descriptor, 16) == 0
                    && getsockname(descriptor, pointer, &length) == 0
            }
        }
        port = Int(UInt16(bigEndian: address.sin_port))
        guard isListening else { throw POSIXError(.EADDRNOTAVAIL) }
        Thread { [weak self] in
            while true {
                let connection = accept(descriptor, nil, nil)
                guard connection >= 0, let server = self else { break }
                Thread { server.serve(connection) }.start()
            }
            // Not before: the next server would get the number, and this thread its connections.
            close(descriptor)
        }.start()
    }

    /// One that always answers with this content.
    public convenience init(content: String) throws { try self.init { _, _ in .content(content) } }

    deinit {
        // Ends the thread's `accept`, now or when it comes to it.
        shutdown(listener, Int32(SHUT_RDWR))
        for connection in silent.withLock(\.self) { close(connection) }
    }

    /// The base address.
    public var url: String { "http://127.0.0.1:\(port)/v1" }

    /// What was asked so far.
    public var requests: [Request] { received.withLock(\.self) }

    private func serve(_ connection: Int32) {
        guard let request = read(connection) else {
            close(connection)
            return
        }
        let index = received.withLock { requests in
            requests.append(request)
            return requests.count - 1
        }
        switch script(index, request) {
        case .status(let status, let headers, let body):
            write(status, headers, body, to: connection)
        case .content(let content):
            let json: JSONValue = ["choices": [["message": ["content": .string(content)]]]]
            write(
                200, ["Content-Type": "application/json"], CanonicalJSON.text(of: json),
                to: connection)
        case .raw(let text): write(text, to: connection)
        case .silence:
            silent.withLock { $0.append(connection) }
            return
        case .hangUp: break
        }
        close(connection)
    }

    private func read(_ connection: Int32) -> Request? {
        var data = Data()
        var time: ContinuousClock.Instant?
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = recv(connection, &chunk, chunk.count, 0)
            if count <= 0 { return nil }
            let start = time ?? .now
            time = start
            data.append(contentsOf: chunk[..<count])
            guard let end = data.range(of: Data("\r\n\r\n".utf8)) else { continue }
            let lines = String(decoding: data[..<end.lowerBound], as: UTF8.self)
                .components(separatedBy: "\r\n")
            var headers: [String: String] = [:]
            for line in lines.dropFirst() {
                let parts = line.split(separator: ":", maxSplits: 1)
                headers[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces)
            }
            let body = data[end.upperBound...]
            if body.count < Int(headers["content-length"] ?? "0") ?? 0 { continue }
            return Request(line: lines[0], headers: headers, body: Data(body), time: start)
        }
    }

    private func write(
        _ status: Int, _ headers: [String: String], _ body: String, to connection: Int32
    ) {
        let fields = headers.map { "\($0.key): \($0.value)\r\n" }.joined()
        write(
            "HTTP/1.1 \(status) X\r\nContent-Length: \(body.utf8.count)\r\nConnection: close\r\n\(fields)\r\n\(body)",
            to: connection)
    }

    private func write(_ text: String, to connection: Int32) {
        var rest = Data(text.utf8)
        while !rest.isEmpty {
            // A client that has gone must not end the tests by SIGPIPE.
            let count = rest.withUnsafeBytes {
                send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count <= 0 { return }
            rest.removeFirst(count)
        }
    }
}
