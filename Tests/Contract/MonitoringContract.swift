import AnsibleModule
import Foundation
import Platform
import TestSupport
import Testing

/// The examples of docs/monitoring, held against Prometheus and against the metrics that a report really holds.
@Suite struct MonitoringContract {
    private static let examples = RealProgram.root + "/docs/monitoring"

    @Test func `Prometheus takes the alert rules, and they fire when they should and not before`() throws {
        let rules = try Program.run(["promtool", "check", "rules", Self.examples + "/alerts.yaml"])
        #expect(rules.status == 0, "\(rules)")
        let tests = try Program.run(["promtool", "test", "rules", Self.examples + "/alerts-test.yaml"])
        #expect(tests.status == 0, "\(tests)")
    }

    @Test func `alerts and dashboard ask for metrics that the report writes, and for no others`() throws {
        let template = try text("roles/letsencrypt_report/templates/letsencrypt.prom.j2")
        let names = template.matches(of: #/gauge\('([a-z_]+)'/#).map { String($0.1) }
        let times = template.matches(of: #/\('([a-z_]+)', '[a-z_]+', '/#).map {
            "certificate_\($0.1)_timestamp_seconds"
        }
        let written = Set((names + times).map { "letsencrypt_" + $0 })
        for file in ["alerts.yaml", "grafana-dashboard.json"] {
            let asked = Set(
                try text("docs/monitoring/" + file).matches(of: #/letsencrypt_[a-z_]+/#).map { String($0.0) })
            #expect(asked.count > 2 && asked.subtracting(written) == [], "\(file)")
        }
    }

    @Test func `the dashboard is JSON whose queries Prometheus can parse`() throws {
        let dashboard = try #require(JSONValue.parse(Array(try text("docs/monitoring/grafana-dashboard.json").utf8)))
        let queries = (dashboard["panels"]?.array ?? []).flatMap { $0["targets"]?.array ?? [] }
            .compactMap { $0["expr"]?.string }
        try #require(queries.count > 5)
        let rules = queries.enumerated().map {
            ["record": JSONValue.string("q\($0.offset)"), "expr": .string($0.element)]
        }
        let file: JSONValue = ["groups": [["name": "queries", "rules": .array(rules.map(JSONValue.object))]]]
        try withTemporaryDirectory { directory in
            // JSON is YAML.
            try AtomicFile.write(Array(file.rendered.utf8), to: directory + "/rules", access: .own(mode: 0o600))
            let judged = try Program.run(["promtool", "check", "rules", directory + "/rules"])
            #expect(judged.status == 0, "\(judged)")
        }
    }

    private func text(_ path: String) throws -> String {
        try String(contentsOfFile: RealProgram.root + "/" + path, encoding: .utf8)
    }
}
