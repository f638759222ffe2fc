import Testing

@testable import CeleryCommandLine

@Suite struct CPUBudgetTests {
    @Test(arguments: [("0-3,8", 5), ("0", 1), ("0-1,4-5,7", 5)])
    func countsAllowedProcessors(list: String, expected: Int) {
        let status = "Name:\tworker\nCpus_allowed:\tff\nCpus_allowed_list:\t\(list)\nMems_allowed:\t1\n"
        #expect(CPUBudget.allowedProcessors(inStatus: status) == expected)
    }

    @Test(arguments: ["", "Cpus_allowed_list:\t\n", "Cpus_allowed_list:\tx-y\n", "Cpus_allowed_list:\t3-1\n"])
    func anUnreadableListIsNoCount(status: String) {
        #expect(CPUBudget.allowedProcessors(inStatus: status) == nil)
    }

    @Test func quotaOfAControlGroup() {
        #expect(CPUBudget.quota(microseconds: "150000", per: "100000") == 1.5)
        #expect(CPUBudget.quota(microseconds: "max", per: "100000") == nil)
        #expect(CPUBudget.quota(microseconds: "-1", per: "100000") == nil)
        #expect(CPUBudget.quota(microseconds: "1", per: "0") == nil)
    }

    @Test func ancestorsOfAGroup() {
        #expect(CPUBudget.ancestors(ofGroup: "/a/b") == ["/a/b", "/a", ""])
        #expect(CPUBudget.ancestors(ofGroup: "/") == [""])
        #expect(CPUBudget.ancestors(ofGroup: "/../../x") == ["/x", ""])
    }

    @Test func thisMachineHasAProcessor() {
        #expect(CPUBudget.current().processors >= 1)
        #expect(CPUBudget.current().withinQuota >= 1)
    }
}
