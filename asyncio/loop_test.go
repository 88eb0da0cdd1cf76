package asyncio_test

import (
	"testing"

	"github.com/go-greenlet/greenlet/asyncio"
)

func TestConformanceLoop(t *testing.T) {
	playScenarios(t,
		scenario{"asyncio/009_callback_exception", playCallbackException},
	)
}

func playCallbackException(s *script) {
	l := asyncio.NewLoop()
	defer l.Close()
	s.print("handler unset", yes(l.ExceptionHandler() == nil))
	l.SetExceptionHandler(func(lp *asyncio.Loop, c asyncio.ExceptionContext) {
		s.print("handler:", c.Message, "/", pyName(c.Exception), c.Exception)
		keys := "exception"
		if c.Handle != nil {
			keys += " handle"
		}
		s.print("  keys", keys, "message")
		s.print("  same loop", yes(lp == l))
	})
	l.CallSoon(func() { panic(valueError("from callback")) })
	l.CallSoon(func() { s.print("next callback still runs") })
	l.CallSoon(l.Stop)
	s.must(l.RunForever())
	l.CallExceptionHandler(asyncio.ExceptionContext{Message: "custom report", Exception: keyError("k")})
	l.SetExceptionHandler(nil)
	s.print("handler unset", yes(l.ExceptionHandler() == nil))
}
