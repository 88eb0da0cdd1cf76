package asyncio

import "github.com/go-greenlet/greenlet"

// Errors by which generators and coroutine objects tell that they end, and are
// asked to.
var (
	// ErrStopAsyncIteration is returned by an AsyncGen or another AsyncIterator
	// that has ended. Python: StopAsyncIteration.
	ErrStopAsyncIteration = errorf("StopAsyncIteration", nil, "the asynchronous iteration has ended")

	// ErrStopIteration is returned by a Coroutine that is driven by hand and has
	// ended: the result is there. It is greenlet.ErrStop, too. Python:
	// StopIteration.
	ErrStopIteration = errorf("StopIteration", greenlet.ErrStop, "the coroutine has ended")

	// ErrGeneratorExit is returned by the Yield, or the wait, in which Close finds a
	// body: the body cleans up and returns it. It is greenlet.Exit, too. As in
	// Python it is no Exception (see IsException). Python: GeneratorExit.
	ErrGeneratorExit = errorf("GeneratorExit", greenlet.Exit, "generator exit")
)
