import Foundation
import FoundationNetworking
import Synchronization

/// What a server answered.
struct HTTPReply: Sendable {
    /// The status, such as 200.
    var status: Int
    /// The header `Retry-After`.
    var retryAfter: String?
    /// The header `Location`.
    var location: String?
    /// What came, without its transfer encoding.
    var body = Data()
}

/// A request that brought no answer.
enum HTTPFailure: Error {
    /// None came in time.
    case timeout
    /// More came than any answer holds.
    case tooLong
    /// No connection, or one that broke, with the reason.
    case connection(String)
}

/// One POST, made from synchronous code.
///
/// A session per request: an idle connection that the server closes cannot fail the next request then. It is the session's
/// delegate, because only that one is asked before a redirection is followed and sees the body before it is whole.
final class HTTPPost: NSObject, URLSessionDataDelegate, Sendable {
    /// A longer answer is given up: a prompt has 2,000 characters at most.
    static let maximumBytes = 1_000_000

    private struct State {
        var reply: HTTPReply?
        var failure: HTTPFailure?
    }

    private let state = Mutex(State())
    private let isFinished = DispatchSemaphore(value: 0)

    /// Posts `body`, which is JSON, to `url`.
    ///
    /// - Parameters:
    ///   - authorization: the header of that name.
    ///   - timeout: seconds for the whole exchange.
    ///   - patience: what ends the wait early.
    /// - Throws: ``HTTPFailure`` when there is no answer; ``PromptsInterrupted`` after a signal.
    static func send(
        _ body: String, to url: URL, authorization: String?, timeout: Double, patience: Patience
    ) throws -> HTTPReply {
        var request = URLRequest(url: url)
        request.httpMethod = "POST"
        request.httpBody = Data(body.utf8)
        request.setValue("application/json", forHTTPHeaderField: "Content-Type")
        request.setValue("application/json", forHTTPHeaderField: "Accept")
        request.setValue(authorization, forHTTPHeaderField: "Authorization")
        // The library's limit is on silence, ours on the whole: ours comes first.
        request.timeoutInterval = timeout + 60
        let post = HTTPPost()
        let session = URLSession(configuration: .ephemeral, delegate: post, delegateQueue: nil)
        defer { session.invalidateAndCancel() }
        session.dataTask(with: request).resume()
        let isAnswered = try patience.wait(until: .now + .seconds(timeout)) { seconds in
            post.isFinished.wait(timeout: .now() + seconds) == .success
        }
        if !isAnswered { throw HTTPFailure.timeout }
        return try post.outcome()
    }

    private func outcome() throws -> HTTPReply {
        try state.withLock { state in
            if let failure = state.failure { throw failure }
            guard let reply = state.reply else { throw HTTPFailure.connection("no answer") }
            return reply
        }
    }

    /// Refuses to follow: the key would go to a server that nobody named, and a POST may become a GET.
    func urlSession(
        _ session: URLSession, task: URLSessionTask,
        willPerformHTTPRedirection response: HTTPURLResponse, newRequest request: URLRequest,
        completionHandler: @escaping (URLRequest?) -> Void
    ) {
        completionHandler(nil)
    }

    /// Takes the head of the answer.
    func urlSession(
        _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
        completionHandler: @escaping (URLSession.ResponseDisposition) -> Void
    ) {
        if let response = response as? HTTPURLResponse {
            let reply = HTTPReply(
                status: response.statusCode,
                retryAfter: response.value(forHTTPHeaderField: "Retry-After"),
                location: response.value(forHTTPHeaderField: "Location"))
            state.withLock { $0.reply = reply }
        }
        completionHandler(.allow)
    }

    /// Takes a part of the body.
    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        let isTooLong = state.withLock { state in
            state.reply?.body.append(data)
            guard let count = state.reply?.body.count, count > Self.maximumBytes else {
                return false
            }
            state.failure = .tooLong
            return true
        }
        if isTooLong { dataTask.cancel() }
    }

    /// Ends the wait.
    func urlSession(
        _ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?
    ) {
        if let error {
            state.withLock { state in
                // A cancelled task has its reason already.
                if state.failure == nil { state.failure = Self.failure(error) }
            }
        }
        isFinished.signal()
    }

    private static func failure(_ error: any Error) -> HTTPFailure {
        if (error as? URLError)?.code == .timedOut { return .timeout }
        return .connection(error.localizedDescription)
    }
}
