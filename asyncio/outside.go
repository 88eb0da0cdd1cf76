package asyncio

// Hold notes that something is under way outside the loop that will call
// CallSoonThreadsafe. While anything is held a clock that is not the system's
// does not go forward (asynciotest.Clock). Executors and connections do it by
// themselves; a program needs it for goroutines of its own. Release takes it
// back, after the call. Any goroutine may call it; it does not switch. Python has
// no such call.
func (l *Loop) Hold() { l.s.Hold() }

// Release ends what Hold began. It panics if Hold did not. Any goroutine may call
// it; it does not switch.
func (l *Loop) Release() { l.s.Release() }

// Pending returns how many callbacks and steps of tasks are ready, and how many
// timers are set, sleeping tasks among them. It is for tests and for those who
// watch a loop. Owner only; it does not switch. Python has no such call.
func (l *Loop) Pending() (ready, timers int) { return l.s.Pending() }
