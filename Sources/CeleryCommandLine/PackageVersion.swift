/// The version of this package, as `--version` and the banner show it.
package enum PackageVersion {
    /// Semantic version.
    package static let text = "0.1.0"
}
