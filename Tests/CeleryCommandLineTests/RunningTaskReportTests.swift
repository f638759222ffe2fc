import FoundationEssentials
import Testing

@testable import CeleryCommandLine
@testable import CeleryWorker

@Suite struct RunningTaskReportTests {
    @Test func aTaskIsOneLine() {
        let start = Date(timeIntervalSince1970: 1_767_225_600)
        let text = RunningTaskReport(
            node: "w@box",
            tasks: [
                RunningTask(id: "7-8", name: "proj.add", startedAt: start, processID: 42, acksLate: true),
                RunningTask(id: "9\n", name: "proj.mul", startedAt: nil, processID: nil, acksLate: false),
            ],
            now: start.addingTimeInterval(61.5)
        ).text
        #expect(
            text == """
                w@box: 2 running tasks
                  proj.add[7-8] since 2026-01-01T00:00:00Z, 61 s, child process 42, late acknowledgement
                  proj.mul[9?] is about to start

                """
        )
    }

    @Test func anIdleWorkerSaysSo() {
        #expect(RunningTaskReport(node: "w@box", tasks: [], now: Date()).text == "w@box: 0 running tasks\n")
    }
}
