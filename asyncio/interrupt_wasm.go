package asyncio

import "os"

// interruptsIgnored is true: there are no signals, and asking for them panics.
func interruptsIgnored() bool { return true }

func signalsHere() bool { return false }

func notify(chan<- os.Signal, os.Signal) {}
func stopNotify(chan<- os.Signal)        {}

func checkSignal(os.Signal) error { return nil }
