import CeleryProtocol

/// Messages of the result backend.
enum ResultMessageFuzz {
    static func run(_ input: [UInt8]) {
        do throws(ProtocolError) {
            let message = try ResultMessage(decoding: input, correlationID: "correlation")
            check(message)
        } catch {
            Canary.check(error)
        }
    }

    private static func check(_ message: ResultMessage) {
        let written = message.encoded()
        do throws(ProtocolError) {
            let again = try ResultMessage(decoding: written)
            require(again.encoded() == written, "bytes stay the same")
            require(again.state == message.state && again.taskID == message.taskID, "state and id stay")
        } catch {
            fatalError("broken rule: what was written is read: \(error)")
        }
        if let exception = message.exception { check(exception) }
        do throws(ProtocolError) {
            for child in try message.childResults() {
                require(try ResultTuple(decoding: child.json) == child, "a child stays the same")
            }
        } catch {
            Canary.check(error)
        }
        require(!message.state.outranks(message.state), "no state counts more than itself")
    }

    private static func check(_ exception: ExceptionInfo) {
        _ = exception.pythonRepr
        _ = exception.message
        do throws(ProtocolError) {
            let again = try ExceptionInfo(decoding: exception.json)
            require(JSONFuzz.write(again.json) == JSONFuzz.write(exception.json), "an exception stays the same")
        } catch {
            fatalError("broken rule: what was written is read: \(error)")
        }
    }
}
