/// The version of this package: for `--version`, the banner, reports, and the `sw_ver` of events and remote control.
package enum PackageVersion {
    /// Semantic version.
    package static let text = "0.1.0"
    /// The name beside it (`sw_ident` of events and remote control).
    package static let product = "swcelery"
}
