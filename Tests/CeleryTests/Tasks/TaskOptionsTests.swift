import AMQP
import CeleryProtocol
import FoundationEssentials
import Testing

@testable import Celery

@Suite("Options")
struct TaskOptionsTests {
    @Test func everyOptionSurvivesItsJSON() throws {
        var options = TaskOptions(
            queue: "q",
            exchange: "x",
            routingKey: "k",
            priority: 9,
            deliveryMode: .transient,
            countdown: .milliseconds(1_500),
            eta: Date(timeIntervalSince1970: 1_000_000_000),
            expires: .at(Date(timeIntervalSince1970: 2_000_000_000)),
            timeLimit: .seconds(60),
            softTimeLimit: .milliseconds(45_500),
            taskID: "id",
            headers: [
                "text": "v", "number": 7, "flag": true, "list": .array([1, "a", .void]), "map": .table(["k": 1]),
            ],
            shadow: "s",
            argsrepr: "(...)",
            kwargsrepr: "{...}",
            properties: MessageProperties(messageID: "m", timestamp: 5, type: "t", userID: "u", appID: "a"),
            groupID: "g",
            groupIndex: 4,
            rootID: "root",
            parentID: "parent",
            link: [Signature("next", args: [1], options: TaskOptions(queue: "low"))],
            linkError: [Signature("failed", immutable: true)],
            ignoreResult: false,
            replyTo: "replies",
            retry: true,
            retryPolicy: RetryPolicy(maxRetries: nil, intervalStart: .seconds(1))
        )
        options.chain = [["task": "later"]]
        options.chord = ["task": "body"]
        options.retries = 2
        options.replacedTaskNesting = 1
        options.origin = "gen1@host"
        options.stampedHeaders = ["color"]
        options.stamps = ["color": "blue"]
        #expect(try TaskOptions(decoding: options.json) == options)
        let text = JSONValue.object(options.json).serialized()
        #expect(try TaskOptions(decoding: #require(JSONValue(parsing: text).objectValue)) == options)
        #expect(TaskOptions().json.isEmpty)
    }

    @Test func wholeSecondsAreIntegers() {
        let json = TaskOptions(countdown: .seconds(9), expires: .after(.milliseconds(250))).json
        #expect(json["countdown"] == 9)
        #expect(json["expires"] == 0.25)
    }

    @Test func celerysOtherFormsAreRead() throws {
        let options = try TaskOptions(decoding: [
            "eta": "2099-01-02T03:04:05Z", "expires": 1.5, "delivery_mode": "persistent", "link": ["task": "single"],
            "queue": nil, "unknown": ["x": 1], "serializer": "json", "add_to_parent": false,
        ])
        #expect(options.eta?.text == "2099-01-02T03:04:05+00:00")
        #expect(options.expires == .after(.milliseconds(1_500)))
        #expect(options.deliveryMode == .persistent)
        #expect(options.link.map(\.task) == ["single"])
        #expect(options.queue == nil)
    }

    @Test(
        arguments: [
            ["queue": 1], ["priority": 256], ["priority": -1], ["priority": "high"], ["countdown": "soon"],
            ["countdown": 1e300], ["countdown": .double(.nan)], ["countdown": 3_000_000_000], ["eta": 5],
            ["eta": "tomorrow"],
            ["expires": "never"], ["expires": true], ["headers": []],
            ["headers": ["big": .bigInteger("99999999999999999999")]],
            ["link": [1]], ["link_error": "x"], ["chain": "x"], ["chord": 1], ["retries": -1], ["delivery_mode": 3],
            ["ignore_result": "yes"], ["group_index": 1.5], ["timestamp": -5],
            ["retry_policy": ["max_retries": "many"]],
            ["stamped_headers": "color"],
        ] as [JSONObject]
    )
    func malformedOptionsAreErrors(_ options: JSONObject) {
        let error = #expect(throws: CeleryError.self) { try TaskOptions(decoding: options) }
        #expect(error?.code == .invalidSignature)
    }

    @Test func groupAndStampsOfASignatureStay() {
        var stored = TaskOptions(groupID: "kept")
        stored.stampedHeaders = ["color"]
        stored.stamps = ["color": "blue"]
        var given = TaskOptions(queue: "new", groupID: "other")
        given.stampedHeaders = ["shape"]
        given.stamps = ["color": "red", "shape": "round"]
        var merged = given
        merged.fill(fromStored: stored)
        #expect(merged.groupID == "kept")
        #expect(merged.stampedHeaders == ["color"])
        #expect(merged.stamps["color"] == "blue")
        #expect(merged.queue == "new")
    }

    @Test(arguments: [
        (0.75, "750"), (120, "120000"), (-5, "0"), (0, "0"), (3_597.996869, "3597996"), (0.001, "1"),
        (4_294_967.295, "4294967295"), (1e12, "4294967295"), (.infinity, "4294967295"),
    ])
    func expirationIsBounded(seconds: Double, text: String) {
        #expect(TaskComposer.expiration(seconds: seconds) == text)
    }

    @Test func farAwayTimesDoNotTrap() throws {
        let composer = TaskComposer(configuration: CeleryConfiguration())
        for duration: Duration in [.seconds(Int64.max), .seconds(Int64.min), .seconds(-1), .nanoseconds(1)] {
            let options = TaskOptions(
                countdown: duration,
                expires: .after(duration),
                timeLimit: duration,
                softTimeLimit: duration
            )
            let composition = try composer.compose(Signature("t"), options: options, context: SendContext())
            let properties = try #require(composition.tasks.first?.message.properties)
            #expect(try TaskHeaders(decoding: #require(properties.headers)).eta != nil)
        }
    }
}
