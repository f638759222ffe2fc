// swift-tools-version: 6.2
import PackageDescription

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let configuration = Target.Dependency.product(name: "Configuration", package: "swift-configuration")
let deque = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let orderedCollections = Target.Dependency.product(name: "OrderedCollections", package: "swift-collections")
let serviceLifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")

let yams = Target.Dependency.product(name: "Yams", package: "Yams", condition: .when(traits: ["YAML"]))

let package = Package(
    name: "swcelery",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "AMQP", targets: ["AMQP"]),
        .library(name: "Celery", targets: ["Celery"]),
        .library(name: "CeleryWorker", targets: ["CeleryWorker"]),
        .library(name: "CeleryCommandLine", targets: ["CeleryCommandLine"]),
        .library(name: "CeleryTestKit", targets: ["CeleryTestKit"]),
        .executable(name: "swcelery", targets: ["swcelery"]),
    ],
    traits: [
        .trait(name: "YAML", description: "Files of settings (--config) may be YAML, too.")
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        // Without its readers of files, which need all of Foundation: `SettingsFile` reads JSON with this package's own parser.
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0", traits: []),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/jpsim/Yams", "5.4.0"..<"7.0.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        .systemLibrary(
            name: "CRabbitMQ",
            pkgConfig: "librabbitmq",
            providers: [.apt(["librabbitmq-dev"]), .brew(["rabbitmq-c"])]
        ),
        .target(name: "CSystemShims"),
        .target(name: "AMQPValues"),
        .target(
            name: "AMQP",
            dependencies: [
                "AMQPValues", "CRabbitMQ", "CSystemShims", deque, logging,
            ]
        ),
        .target(
            name: "CeleryProtocol",
            dependencies: ["AMQPValues", orderedCollections]
        ),
        .target(
            name: "Celery",
            dependencies: [
                "AMQP", "CeleryProtocol", configuration, deque, logging, orderedCollections, serviceLifecycle, yams,
            ]
        ),
        .target(
            name: "CeleryWorker",
            dependencies: [
                "AMQP", "Celery", "CeleryProtocol", deque, logging, serviceLifecycle,
            ]
        ),
        .target(
            name: "CeleryCommandLine",
            dependencies: [
                "AMQP", "CSystemShims", "Celery", "CeleryProtocol", "CeleryWorker", argumentParser, logging,
                serviceLifecycle,
            ]
        ),
        .executableTarget(
            name: "swcelery",
            dependencies: ["Celery", "CeleryCommandLine", "CeleryProtocol", "CeleryWorker"]
        ),
        .target(name: "CeleryTestKit", dependencies: ["AMQP", "Celery", "CeleryWorker", deque, logging]),
        .target(name: "PoolTasks", dependencies: ["AMQPValues", "Celery", "CeleryWorker"], path: "Tests/PoolTasks"),
        .executableTarget(
            name: "PoolChild",
            dependencies: [
                "AMQP", "Celery", "CeleryTestKit", "CeleryWorker", "CThreadSanitizer", "PoolTasks", logging,
            ],
            path: "Tests/PoolChild"
        ),
        .target(name: "CThreadSanitizer", path: "Tests/CThreadSanitizer"),
        .testTarget(name: "AMQPTests", dependencies: ["AMQP", "CThreadSanitizer", logging]),
        .testTarget(
            name: "CeleryProtocolTests",
            dependencies: ["AMQP", "CeleryProtocol", "CThreadSanitizer"],
            exclude: ["Vectors"],
            resources: [.copy("Golden")]
        ),
        .testTarget(
            name: "CeleryTests",
            dependencies: [
                "AMQP", "Celery", "CeleryProtocol", "CeleryTestKit", "CThreadSanitizer", configuration, logging,
            ],
            exclude: ["Canvas/Vectors"]
        ),
        .testTarget(
            name: "CeleryWorkerTests",
            dependencies: [
                "AMQP", "Celery", "CeleryProtocol", "CeleryTestKit", "CeleryWorker", "CThreadSanitizer", "PoolTasks",
                logging,
            ]
        ),
        .testTarget(
            name: "CeleryCommandLineTests",
            dependencies: [
                "CSystemShims", "Celery", "CeleryCommandLine", "CeleryTestKit", "CeleryWorker", "CThreadSanitizer",
                argumentParser, logging,
            ]
        ),
        .testTarget(
            name: "BrokerTests",
            dependencies: ["AMQP", "Celery", "CeleryTestKit", "CThreadSanitizer", logging]
        ),
    ],
    swiftLanguageModes: [.v6]
)

// `Interop/fuzz.sh` sets this: ordinary builds know nothing of fuzzing.
if Context.environment["SWCELERY_FUZZ"] != nil {
    package.targets.append(
        .executableTarget(
            name: "swcelery-fuzz",
            dependencies: ["AMQP", "CeleryProtocol"],
            path: "Tests/Fuzz",
            exclude: ["Dictionaries"]
        )
    )
}

for target in package.targets where !["CRabbitMQ", "CSystemShims", "CThreadSanitizer"].contains(target.name) {
    target.swiftSettings = [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    ]
}
