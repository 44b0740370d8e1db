internal import CCurl
internal import Platform

/// Work for one of curl's easy handles.
protocol CurlJob: AnyObject {
    /// `CURL *`; nil where curl could not make one.
    var easy: UnsafeMutableRawPointer? { get }
    var isDone: Bool { get }

    /// Tells curl everything about the work, which may take this long.
    func prepare(_ options: CurlOptions, seconds: Double)

    /// Takes curl's verdict.
    func finish(_ code: CURLcode)

    /// Takes it that curl could not do the work at all.
    func fail(_ reason: String, mayRetry: Bool)
}

/// Work that curl does at once, on as many connections as it takes.
final class CurlMulti {
    private let pointer: OpaquePointer  // CURLM *

    /// What is said of work that is not done when the time is over.
    static let lateness = "it did not answer within the time limit"

    init() throws(HTTPError) {
        guard Self.isReady, let multi = curl_multi_init() else {
            throw HTTPError(host: "", reason: "libcurl could not be initialized", retry: .never)
        }
        pointer = OpaquePointer(multi)
    }

    deinit {
        curl_multi_cleanup(handle)
    }

    /// curl's global state, made once for the process.
    private static let isReady = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    private var handle: UnsafeMutableRawPointer { UnsafeMutableRawPointer(pointer) }

    /// Sends many requests over one connection where the server speaks HTTP/2, and opens no more than so many to a host.
    func shareConnections(atMost count: Int) {
        shim_multi_set_long(handle, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX)
        shim_multi_set_long(handle, CURLMOPT_MAX_HOST_CONNECTIONS, count)
        shim_multi_set_long(handle, CURLMOPT_MAXCONNECTS, count)
    }

    /// Returns when all is done, or the deadline has passed.
    func run(_ jobs: [any CurlJob], _ deadline: Deadline) {
        for job in jobs { start(job, deadline) }
        drive(jobs, deadline)
        for job in jobs {
            curl_multi_remove_handle(handle, job.easy)
            if !job.isDone { job.fail(Self.lateness, mayRetry: true) }
        }
    }

    private func start(_ job: any CurlJob, _ deadline: Deadline) {
        guard !deadline.hasPassed else { return }
        let options = job.easy.map { CurlOptions($0) }
        if let options { job.prepare(options, seconds: deadline.remaining) }
        guard options?.areAccepted == true else {
            job.fail("libcurl refuses the request or an option", mayRetry: false)
            return
        }
        let code = curl_multi_add_handle(handle, job.easy)
        if code != CURLM_OK { job.fail(Self.words(code), mayRetry: false) }
    }

    /// Lets curl work until every job has ended. Each has its own time limit within the deadline; the check of the
    /// deadline here is for those that curl has not begun.
    private func drive(_ jobs: [any CurlJob], _ deadline: Deadline) {
        var running: Int32 = 1
        while jobs.contains(where: { !$0.isDone }) && !deadline.hasPassed {
            var code = curl_multi_perform(handle, &running)
            collect(jobs)
            if code == CURLM_OK && running == 0 { break }
            let pause = Int32(min(1000, max(1, deadline.remaining * 1000)))
            if code == CURLM_OK { code = curl_multi_poll(handle, nil, 0, pause, nil) }
            guard code == CURLM_OK else {
                for job in jobs where !job.isDone { job.fail(Self.words(code), mayRetry: true) }
                return
            }
        }
    }

    private func collect(_ jobs: [any CurlJob]) {
        var left: Int32 = 0
        while let message = curl_multi_info_read(handle, &left) {
            let result = shim_message_result(message)
            guard let job = jobs.first(where: { $0.easy == message.pointee.easy_handle }) else { continue }
            job.finish(result)
        }
    }

    private static func words(_ code: CURLMcode) -> String { String(cString: curl_multi_strerror(code)) }
}
