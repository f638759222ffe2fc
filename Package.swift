// swift-tools-version: 6.2
import PackageDescription

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
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
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
                "AMQPValues", "CRabbitMQ", "CSystemShims",
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "Logging", package: "swift-log"),
            ]
        ),
        .target(
            name: "CeleryProtocol",
            dependencies: ["AMQPValues", .product(name: "OrderedCollections", package: "swift-collections")]
        ),
        .target(
            name: "Celery",
            dependencies: [
                "AMQP", "CeleryProtocol",
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "OrderedCollections", package: "swift-collections"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]
        ),
        .target(
            name: "CeleryWorker",
            dependencies: [
                "Celery", "CSystemShims",
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]
        ),
        .target(
            name: "CeleryCommandLine",
            dependencies: [
                "Celery", "CeleryWorker",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]
        ),
        .executableTarget(name: "swcelery", dependencies: ["CeleryCommandLine"]),
        .target(
            name: "CeleryTestKit",
            dependencies: [
                "Celery", "CeleryWorker",
                .product(name: "DequeModule", package: "swift-collections"),
            ]
        ),
        .target(name: "CThreadSanitizer", path: "Tests/CThreadSanitizer"),
        .testTarget(name: "AMQPTests", dependencies: ["AMQP", "CThreadSanitizer"]),
        .testTarget(
            name: "CeleryProtocolTests",
            dependencies: ["CeleryProtocol", "AMQP", "CThreadSanitizer"],
            exclude: ["Vectors"],
            resources: [.copy("Golden")]
        ),
        .testTarget(name: "CeleryTests", dependencies: ["Celery", "CeleryTestKit", "CThreadSanitizer"]),
        .testTarget(name: "CeleryWorkerTests", dependencies: ["CeleryWorker", "CeleryTestKit", "CThreadSanitizer"]),
        .testTarget(name: "CeleryCommandLineTests", dependencies: ["CeleryCommandLine", "CThreadSanitizer"]),
        .testTarget(name: "BrokerTests", dependencies: [
                "AMQP", "Celery", "CeleryWorker", "CeleryTestKit", "CThreadSanitizer",
                .product(name: "Logging", package: "swift-log"),
            ]),
    ],
    swiftLanguageModes: [.v6]
)

for target in package.targets where !["CRabbitMQ", "CSystemShims", "CThreadSanitizer"].contains(target.name) {
    target.swiftSettings = [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    ]
}
