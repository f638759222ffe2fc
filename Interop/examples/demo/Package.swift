// swift-tools-version: 6.2
import PackageDescription

// A package as a user of swcelery would write it: tasks that caller and worker share, a program that calls them, a worker with tasks.
let package = Package(
    name: "swcelery-demo",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "demo", targets: ["demo"]),
        .executable(name: "exampleworker", targets: ["exampleworker"]),
    ],
    dependencies: [
        .package(name: "swcelery", path: "../../.."),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
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
    ],
    swiftLanguageModes: [.v6]
)
