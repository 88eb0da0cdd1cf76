package asyncio_test

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet/asyncio"
)

// TestClasses finds errors of each class as a program does that tests for them:
// returned, panicked with, wrapped, and from another process.
func TestClasses(t *testing.T) {
	play(t, func(ctx context.Context) error {
		l := asyncio.CurrentTask(ctx).Loop()
		r := asyncio.NewStreamReader(l, 2)
		r.FeedData([]byte("a line that is too long\n"))
		_, tooLong := r.ReadLine(ctx)
		var overrun *asyncio.LimitOverrunError
		assert.ErrorAs(t, tooLong, &overrun, "the cause of the error")
		_, _, nothing := asyncio.Wait(ctx, []*asyncio.Task[int]{})
		_, notAwaitable := asyncio.Gather(ctx, asyncio.Coro[int](nil)).Result()
		twice := asyncio.NewCoroutine(returning(1, nil))
		twice.Await(ctx)
		_, reused := twice.Await(ctx)
		other := asyncio.NewLoop()
		defer other.Close()
		_, foreign := asyncio.NewFuture[int](other).Await(ctx)
		_, inside := asyncio.Run(ctx, returning(1, nil))
		for _, c := range []struct {
			err            error
			class, message string
		}{
			{tooLong, "ValueError", "Separator is found, but chunk is longer than limit"},
			{nothing, "ValueError", "Set of Tasks/Futures is empty."},
			{panicOf(func() { asyncio.NewSemaphore(-1) }), "ValueError", "Semaphore initial value must be >= 0"},
			{notAwaitable, "TypeError", "An asyncio.Future, a coroutine or an awaitable is required"},
			{panicOf(func() { asyncio.NewTask[int](l, nil) }), "TypeError", "a coroutine was expected, got nil"},
			{reused, "RuntimeError", "cannot reuse already awaited coroutine"},
			{panicOf(asyncio.NewLock().Release), "RuntimeError", "Lock is not acquired."},
			{inside, "RuntimeError", "asyncio.run() cannot be called from a running event loop"},
			{l.RunForever(), "RuntimeError", "This event loop is already running"},
			{other.RunForever(), "RuntimeError", "Cannot run the event loop while another loop is running"},
			{asyncio.ErrNoRunningLoop, "RuntimeError", "no running event loop"},
			{asyncio.ErrBrokenBarrier, "RuntimeError", "broken barrier"},
			{asyncio.ErrSendfileNotAvailable, "RuntimeError", "the system cannot send the file"},
			{asyncio.ErrBrokenProcessPool, "RuntimeError", "a worker process has died"},
			{&asyncio.RemoteError{Class: "ValueError", Message: "asyncio: far away"}, "ValueError", "far away"},
		} {
			wantClass(t, c.err, c.class, c.message)
			wantClass(t, fmt.Errorf("in a call: %w", c.err), c.class, c.message)
		}
		assert.Contains(t, foreign.Error(), "attached to a different loop")
		assert.ErrorIs(t, foreign, asyncio.ErrRuntime)
		for _, none := range []error{asyncio.ErrTimeout, asyncio.ErrCancelled, asyncio.ErrInvalidState, asyncio.ErrQueueEmpty, errors.New("other")} {
			wantClass(t, none, "", "")
		}
		return nil
	})
}

// wantClass checks that err is of the class, and of none of the others.
func wantClass(t *testing.T, err error, class, message string) {
	t.Helper()
	require.Error(t, err)
	var (
		v *asyncio.ValueError
		y *asyncio.TypeError
		r *asyncio.RuntimeError
	)
	for _, c := range []struct {
		class string
		is    error
		as    any
		found func() string
	}{
		{"ValueError", asyncio.ErrValue, &v, func() string { return v.Message() }},
		{"TypeError", asyncio.ErrType, &y, func() string { return y.Message() }},
		{"RuntimeError", asyncio.ErrRuntime, &r, func() string { return r.Message() }},
	} {
		want := c.class == class
		assert.Equal(t, want, errors.Is(err, c.is), "%v is a %s", err, c.class)
		if as := errors.As(err, c.as); assert.Equal(t, want, as, "%v as a %s", err, c.class) && as {
			assert.Equal(t, message, c.found())
		}
	}
}

// Python's words for what Go has another word for: arguments by keyword, None, and
// those that begin with ssl_.
var wordsOfPython = regexp.MustCompile(`keyword arg|\bNone\b|\bssl_|max_workers|return_when|\bsock\b`)

// TestMessagesSpeakGo looks at every message of the package.
func TestMessagesSpeakGo(t *testing.T) {
	assert.Regexp(t, wordsOfPython, "address must be None")
	assert.Regexp(t, wordsOfPython, "ssl_handshake_timeout should be positive")
	messages := 0
	for _, name := range glob(t, "*.go") {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		ast.Inspect(parse(t, string(text)), func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			if f, ok := call.Fun.(*ast.Ident); !ok || !strings.HasSuffix(strings.ToLower(f.Name), "errorf") {
				return true
			}
			for _, arg := range call.Args {
				if lit, ok := arg.(*ast.BasicLit); ok && lit.Kind == token.STRING {
					message, err := strconv.Unquote(lit.Value)
					require.NoError(t, err)
					messages++
					assert.NotRegexp(t, wordsOfPython, message, name)
				}
			}
			return true
		})
	}
	assert.Greater(t, messages, 100, "messages that were looked at")
}
