package asyncio

// interruptsIgnored is true: there are no signals, and asking for them panics.
func interruptsIgnored() bool { return true }
