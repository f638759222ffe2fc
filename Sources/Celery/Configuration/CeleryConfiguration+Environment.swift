extension CeleryConfiguration {
    /// Makes a configuration of Celery's defaults and the variables that Celery users set.
    ///
    /// Read are `CELERY_BROKER_URL`, `CELERY_BROKER_READ_URL` and `CELERY_BROKER_WRITE_URL`; empty values count as absent.
    ///
    /// - Parameter environment: the variables, usually `ProcessInfo.processInfo.environment`.
    public init(environment: [String: String]) {
        self.init()
        func value(_ name: String) -> String? {
            environment[name].flatMap { $0.isEmpty ? nil : $0 }
        }
        if let url = value("CELERY_BROKER_URL") { brokerURL = url }
        brokerReadURL = value("CELERY_BROKER_READ_URL")
        brokerWriteURL = value("CELERY_BROKER_WRITE_URL")
    }
}
