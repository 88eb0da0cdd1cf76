package rt

// ReturnError is how a function ends that a task waits in, one that users call
// and that switches: return rt.ReturnError(err). A return that follows a switch
// is predicted wrongly, which costs more than the switch; where the assembly can
// do better, package greenlet puts it here. The function must be //go:noinline
// and have no deferred calls: see returns in switch_leave_amd64.go.
var ReturnError = func(err error) error { return err }
