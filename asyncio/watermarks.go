package asyncio

// highWater is the high mark unless SetWriteBufferLimits says otherwise.
const highWater = 64 << 10

// waterMarks is the flow control of a transport: when more waits to be sent than
// high the protocol is told to pause, and when it is no more than low to go on.
// See FlowController.
type waterMarks struct {
	high, low int
	above     bool // it was told to pause
	held      bool // and is not to go on before release
}

// set sets the marks, which are the default below zero.
func (w *waterMarks) set(high, low int) error {
	if high < 0 {
		high = highWater
		if low >= 0 {
			high = 4 * low
		}
	}
	if low < 0 {
		low = high / 4
	}
	if high < low {
		return valueErrorf("high (%d) must be >= low (%d) must be >= 0", high, low)
	}
	w.high, w.low = high, low
	return nil
}

// rose tells the protocol of t if size is more than is good.
func (w *waterMarks) rose(size int, t BaseTransport) {
	if !w.above && size > w.high {
		w.above = true
		tellFlow(t, "pause_writing", FlowController.PauseWriting)
	}
}

// fell tells it if size is so no more. It may write then.
func (w *waterMarks) fell(size int, t BaseTransport) {
	if w.above && !w.held && size <= w.low {
		w.above = false
		tellFlow(t, "resume_writing", FlowController.ResumeWriting)
	}
}

// hold has the protocol of t pause until release, whatever is to be sent.
func (w *waterMarks) hold(t BaseTransport) {
	w.held = true
	if !w.above {
		w.above = true
		tellFlow(t, "pause_writing", FlowController.PauseWriting)
	}
}

func (w *waterMarks) release(size int, t BaseTransport) {
	w.held = false
	w.fell(size, t)
}

// tellFlow tells the protocol of t, if it wants to know. If it panics that is
// reported, and the connection goes on.
func tellFlow(t BaseTransport, what string, tell func(FlowController)) {
	f, ok := t.Protocol().(FlowController)
	if !ok {
		return
	}
	l := t.Loop()
	defer func() {
		if p := recover(); p != nil {
			err := panicError(p, "a protocol")
			if endsRun(err) {
				l.s.Abort(err)
				return
			}
			l.CallExceptionHandler(ExceptionContext{Message: "protocol." + what + "() failed", Exception: err, Transport: t, Protocol: t.Protocol()})
		}
	}()
	tell(f)
}
