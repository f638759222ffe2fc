// swift-tools-version: 6.2
import PackageDescription

// A package as a user of swcelery would write it: tasks that caller and worker share, a program that calls them, a worker with tasks; the
// caller and the worker of the chaos run; and a worker whose tasks end in every way there is.
let package = Package(
    name: "swcelery-demo",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "demo", targets: ["demo"]),
        .executable(name: "exampleworker", targets: ["exampleworker"]),
        .executable(name: "embeddedworker", targets: ["embeddedworker"]),
        .executable(name: "chaosclient", targets: ["chaosclient"]),
        .executable(name: "chaosworker", targets: ["chaosworker"]),
        .executable(name: "outcomeworker", targets: ["outcomeworker"]),
        .executable(name: "flowworker", targets: ["flowworker"]),
        .executable(name: "flowclient", targets: ["flowclient"]),
    ],
    dependencies: [
        .package(name: "swcelery", path: "../../.."),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        .target(name: "SharedTasks", dependencies: [.product(name: "Celery", package: "swcelery")]),
        .executableTarget(
            name: "demo",
            dependencies: [
                "SharedTasks",
                .product(name: "Celery", package: "swcelery"),
                .product(name: "Logging", package: "swift-log"),
            ]
        ),
        .executableTarget(
            name: "exampleworker",
            dependencies: ["SharedTasks", .product(name: "CeleryCommandLine", package: "swcelery")]
        ),
        .executableTarget(
            name: "embeddedworker",
            dependencies: [
                .product(name: "Celery", package: "swcelery"),
                .product(name: "CeleryWorker", package: "swcelery"),
                .product(name: "Logging", package: "swift-log"),
            ]
        ),
        .target(name: "Journal"),
        .executableTarget(
            name: "chaosclient",
            dependencies: [
                "Journal", "SharedTasks",
                .product(name: "Celery", package: "swcelery"),
                .product(name: "Logging", package: "swift-log"),
            ]
        ),
        .executableTarget(
            name: "chaosworker",
            dependencies: ["Journal", "SharedTasks", .product(name: "CeleryCommandLine", package: "swcelery")]
        ),
        .executableTarget(
            name: "outcomeworker",
            dependencies: [
                "Journal",
                .product(name: "CeleryCommandLine", package: "swcelery"),
                .product(name: "CeleryWorker", package: "swcelery"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]
        ),
        .executableTarget(
            name: "flowclient",
            dependencies: [
                .product(name: "Celery", package: "swcelery"),
                .product(name: "Logging", package: "swift-log"),
            ]
        ),
        .executableTarget(
            name: "flowworker",
            dependencies: [
                .product(name: "AMQP", package: "swcelery"),
                .product(name: "CeleryCommandLine", package: "swcelery"),
                .product(name: "CeleryWorker", package: "swcelery"),
            ]
        ),
    ],
    swiftLanguageModes: [.v6]
)
