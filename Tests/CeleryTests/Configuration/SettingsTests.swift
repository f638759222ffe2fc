import AMQP
import Configuration
import Foundation
import Testing

@testable import Celery

/// Settings from values, variables and files.
@Suite struct SettingsTests {
    private func configuration(
        values: [String: String] = [:],
        environment: [String: String] = [:],
        json: String? = nil
    ) throws -> CeleryConfiguration {
        var configuration = CeleryConfiguration()
        if let json {
            let provider = try SettingsFile.provider(json: Array(json.utf8), name: "settings.json")
            try configuration.apply(ConfigReader(provider: provider))
        }
        try configuration.apply(CeleryConfiguration.reader(values: values, environment: environment))
        return configuration
    }

    private func complaint(values: [String: String] = [:], json: String? = nil) throws -> String {
        let error = try #require(throws: CeleryError.self) { try configuration(values: values, json: json) }
        #expect(error.code == .invalidConfiguration)
        return error.message
    }

    /// `taskAcksLate` and `workerETATaskLimit` as Celery writes them.
    private func snakeCase(_ property: String) -> String {
        property
            .replacing(/([a-z0-9])([A-Z])/) { "\($0.1)_\($0.2)" }
            .replacing(/([A-Z])([A-Z][a-z])/) { "\($0.1)_\($0.2)" }
            .lowercased()
    }

    @Test func everyPropertyHasItsSetting() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../../Sources/Celery/Configuration/CeleryConfiguration.swift")
        let source = try String(contentsOf: file, encoding: .utf8)
        let properties = source.matches(of: /\n    public var (\w+):/).map { snakeCase(String($0.1)) }
        #expect(properties.count > 60)
        #expect(properties.contains("worker_eta_task_limit"))
        #expect(properties.contains("broker_url"))
        let exceptions = ["task_repr_max_levels": "task_repr_maxlevels"]
        let expected = properties.map { exceptions[$0] ?? $0 }
        #expect(Set(CeleryConfiguration.settingNames) == Set(expected))
        #expect(CeleryConfiguration.settingNames.count == expected.count)
    }

    /// One value for each setting that is not the default; every one of them arrives.
    @Test func everySettingArrives() throws {
        let values: [String: String] = [
            "broker_failover_strategy": "shuffle", "broker_login_method": "EXTERNAL",
            "broker_native_delayed_delivery_queue_type": "classic", "task_default_queue_type": "quorum",
            "task_create_missing_queue_type": "quorum", "timezone": "Europe/Berlin",
            "task_default_delivery_mode": "transient", "task_queues": #"["a"]"#, "task_routes": #"{"a": "b"}"#,
            "task_publish_retry_policy": #"{"max_retries": 7}"#, "broker_use_ssl": "true", "accept_content": "pickle",
            "result_accept_content": "pickle",
        ]
        for setting in Setting.all {
            let texts =
                values[setting.key].map { [$0] }
                ?? (setting.shape == .flag ? ["true", "false"] : setting.shape == .text ? ["other"] : ["77"])
            let isChanged = try texts.contains { text in
                try configuration(environment: ["CELERY_\(setting.key.uppercased())": text])
                    .changedSettings.map(\.name) == [setting.key]
            }
            #expect(isChanged, "\(setting.key) changes nothing")
        }
    }

    @Test func variablesAreCalledAsInCelery() throws {
        let celery = try configuration(environment: [
            "CELERY_TASK_ACKS_LATE": "1", "CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT": "2.5",
            "CELERY_BROKER_URL": "amqp://me:sesame@box//", "CELERY_TASK_DEFAULT_QUEUE": "", "TASK_TRACK_STARTED": "1",
            "CELERY_TASK_QUEUES": "celery, low-priority",
        ])
        #expect(celery.taskAcksLate)
        #expect(celery.workerSoftShutdownTimeout == .milliseconds(2_500))
        #expect(celery.brokerURL == "amqp://me:sesame@box//")
        #expect(celery.taskDefaultQueue == "celery")
        #expect(!celery.taskTrackStarted)
        #expect(celery.taskQueues.map(\.name) == ["celery", "low-priority"])
    }

    @Test func aFileHasValuesOfTheirTypes() throws {
        let celery = try configuration(
            json: """
                {"task_acks_late": true, "broker_heartbeat": 30, "result_expires": null, "worker_concurrency": 3,
                 "broker_connection_max_retries": null, "worker_prefetch_multiplier": null, "task_time_limit": 1.5,
                 "accept_content": ["json", "application/x-python-serialize"], "task_default_rate_limit": "10/m",
                 "task_default_delivery_mode": 1, "timezone": "UTC", "result_backend": "rpc://", "task_serializer": "json",
                 "task_routes": {"images.*": {"queue": "images", "priority": 5}, "proj.add": "celery"}}
                """
        )
        #expect(celery.taskAcksLate)
        #expect(celery.brokerHeartbeat == .seconds(30))
        #expect(celery.resultExpires == nil)
        #expect(celery.workerConcurrency == 3)
        #expect(celery.brokerConnectionMaxRetries == nil)
        #expect(celery.workerPrefetchMultiplier == 4)
        #expect(celery.taskTimeLimit == .milliseconds(1_500))
        #expect(celery.acceptContent == ["json", "application/x-python-serialize"])
        #expect(celery.taskDefaultRateLimit == "10/m")
        #expect(celery.taskDefaultDeliveryMode == .transient)
        guard case .glob("images.*", let first) = celery.taskRoutes.first,
            case .exact("proj.add", let second) = celery.taskRoutes.last
        else {
            Issue.record("two routes, a pattern and a name")
            return
        }
        #expect(first.options.queue == "images")
        #expect(first.options.priority == 5)
        #expect(second.options.queue == "celery")
    }

    @Test(arguments: [("0.5", "0.5"), ("2", "2"), ("\"2/m\"", "2/m"), ("null", nil)])
    func ratesMayBeNumbers(json: String, rate: String?) throws {
        #expect(try configuration(json: "{\"task_default_rate_limit\": \(json)}").taskDefaultRateLimit == rate)
    }

    @Test(arguments: [("UTC", 0), ("gmt", 0), ("+02:00", 7_200), ("-05:30", -19_800)])
    func timeZonesNeedNoDatabase(text: String, seconds: Int) throws {
        #expect(try configuration(values: ["timezone": text]).timezone.secondsFromGMT() == seconds)
    }

    @Test(arguments: ["+2", "+25:00", "02:00", "+02:60", "Nowhere/Atall"])
    func otherTimeZonesAreErrors(text: String) throws {
        #expect(try complaint(values: ["timezone": text]).hasPrefix("timezone has to be"))
    }

    @Test func queuesAreListsOrMaps() throws {
        let list = try configuration(
            json: """
                {"task_queues": ["plain", {"name": "images", "exchange": "media", "exchange_type": "topic",
                  "routing_key": "image.#", "max_priority": 10, "queue_arguments": {"x-queue-type": "quorum"},
                  "delivery_mode": "transient", "durable": false}, {"name": "news", "broadcast": true}]}
                """
        ).taskQueues
        #expect(list.map(\.name) == ["plain", "images", "news"])
        #expect(list[1].exchange?.name == "media")
        #expect(list[1].exchange?.type == "topic")
        #expect(list[1].routingKey == "image.#")
        #expect(list[1].isQuorum)
        #expect(list[1].declaration.arguments["x-max-priority"] == .integer(10))
        #expect(list[1].deliveryMode == .transient)
        #expect(!list[1].declaration.durable)
        #expect(list[2].isBroadcast)
        let map = try configuration(json: #"{"task_queues": {"a": null, "b": {"binding_key": "k"}}}"#).taskQueues
        #expect(map.map(\.name) == ["a", "b"])
        #expect(map[1].routingKey == "k")
        // As in Celery's map: bound by its own name, and not by the key of the default queue.
        #expect(map[0].routingKey == "a")
        #expect(list[0].routingKey == "plain")
    }

    @Test func encryptionIsAFlagOrAMap() throws {
        #expect(try configuration(json: #"{"broker_use_ssl": true}"#).brokerUseSSL != nil)
        #expect(try configuration(json: #"{"broker_use_ssl": false}"#).brokerUseSSL == nil)
        let map = try configuration(
            json:
                #"{"broker_use_ssl": {"ca_certs": "/ca.pem", "certfile": "/c.pem", "keyfile": "/k.pem", "cert_reqs": 0}}"#
        ).brokerUseSSL
        #expect(map?.certificateAuthorityFile == "/ca.pem")
        #expect(map?.certificateFile == "/c.pem")
        #expect(map?.keyFile == "/k.pem")
        #expect(map?.verifyPeer == false)
    }

    @Test func valuesGoBeforeVariablesAndVariablesBeforeFiles() throws {
        let json = #"{"task_acks_late": false, "worker_concurrency": 1, "task_default_queue": "file"}"#
        let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try Data(json.utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let celery = try CeleryConfiguration(
            config: CeleryConfiguration.reader(
                values: ["worker_concurrency": "3"],
                environment: ["CELERY_WORKER_CONCURRENCY": "2", "CELERY_TASK_ACKS_LATE": "yes"],
                file: file.path()
            )
        )
        #expect(celery.workerConcurrency == 3)
        #expect(celery.taskAcksLate)
        #expect(celery.taskDefaultQueue == "file")
    }

    @Test func unknownSettingsAreErrorsThatNameTheNearest() throws {
        #expect(try complaint(json: #"{"task_ack_late": true}"#).contains("did you mean 'task_acks_late'?"))
        #expect(try complaint(values: ["worker_concurency": "1"]).contains("did you mean 'worker_concurrency'?"))
        #expect(!(try complaint(json: #"{"zzzzzzzz": true}"#).contains("did you mean")))
        #expect(try complaint(json: #"{"result_backend": "redis://:sesame@h"}"#).contains("'rpc://'"))
        #expect(!(try complaint(json: #"{"result_backend": "redis://:sesame@h"}"#).contains("sesame")))
        #expect(
            try complaint(json: #"{"a_b_c": 1, "task_acks_late": 5}"#).contains(
                "task_acks_late has to be true or false"
            )
        )
    }

    @Test(arguments: [
        #"{"broker_url": ["amqp://me:sesame@h"]}"#, #"{"broker_url": {"sesame": 1}}"#,
        #"{"worker_concurrency": "sesame"}"#,
        #"{"task_acks_late": "sesame"}"#, #"{"task_time_limit": "sesame"}"#, #"{"task_queues": {"sesame": 1}}"#,
        #"{"broker_use_ssl": {"password": "sesame"}}"#, #"{"timezone": "sesame/nowhere"}"#, "[1]", "{", "",
        #"{"task_default_priority": 256}"#, #"{"worker_concurrency": 1.5}"#,
    ])
    func wrongValuesAreErrorsThatShowNoValue(json: String) throws {
        let complaint = try complaint(json: json)
        #expect(!complaint.contains("amqp"))
        #expect(!complaint.contains(": \"sesame\"") && !complaint.contains("'sesame/nowhere'"))
    }

    @Test(arguments: [
        ("task_acks_late", "maybe"), ("worker_concurrency", "1.5"), ("task_time_limit", "soon"),
        ("task_default_queue_type", "stream"), ("task_routes", "celery"), ("task_default_delivery_mode", "3"),
        ("broker_heartbeat", "nan"), ("broker_heartbeat", "1e300"),
    ])
    func wrongTextsNameTheirSetting(key: String, text: String) throws {
        let complaint = try complaint(values: [key: text])
        #expect(complaint.hasPrefix(key))
        #expect(!complaint.contains(text) || text == "celery")
    }

    #if YAML
    @Test func aFileMayBeYAML() throws {
        let text = """
            task_acks_late: true
            task_default_queue: "yes"
            broker_heartbeat: 1.5
            worker_concurrency: 3
            result_expires: ~
            accept_content: [json, pickle]
            task_routes:
              z.*: last
              a.*: {queue: first, priority: 5}
            """
        let provider = try SettingsFile.provider(
            SettingsFile.parse(yaml: Array(text.utf8), name: "s.yaml"),
            name: "s.yaml"
        )
        let celery = try CeleryConfiguration(config: ConfigReader(provider: provider))
        #expect(celery.taskAcksLate)
        #expect(celery.taskDefaultQueue == "yes")
        #expect(celery.brokerHeartbeat == .milliseconds(1_500))
        #expect(celery.workerConcurrency == 3)
        #expect(celery.resultExpires == nil)
        #expect(celery.acceptContent == ["json", "pickle"])
        guard case .glob("z.*", _) = celery.taskRoutes.first, case .glob("a.*", _) = celery.taskRoutes.last else {
            Issue.record("the routes keep their order")
            return
        }
        let error = try #require(throws: CeleryError.self) {
            try SettingsFile.parse(yaml: Array("broker_url: [sesame".utf8), name: "s.yaml")
        }
        #expect(!"\(error)".contains("sesame"))
    }
    #else
    @Test func yamlNeedsItsTrait() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).yaml")
        try Data("task_acks_late: true".utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let error = try #require(throws: CeleryError.self) { try SettingsFile.provider(path: file.path()) }
        #expect(error.message.contains("trait YAML"))
    }
    #endif

    @Test func theNearestNameIsNearEnough() {
        #expect(NearestName.find("task_route", among: ["task_routes", "task_queues"]) == "task_routes")
        #expect(NearestName.find("xyz", among: ["task_routes"]) == nil)
    }
}
