package asyncio_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet/asyncio"
)

// A readModel is CPython's StreamReader, of 3.13, as far as its readers can be told
// apart: what it holds, and who waits.
type readModel struct {
	limit  int
	buf    string
	eof    bool
	err    error
	waiter *readCall // who is woken next
}

// A readCall is a call of the model that has not returned.
type readCall struct {
	name      string // "read", "readexactly", "readuntil", "readline"
	n         int
	seps      []string
	seen      int
	failed    error // SetException has ended its wait
	cancelled bool
	woken     bool
	result    string
}

func (m *readModel) wake() {
	if m.waiter != nil {
		m.waiter.woken, m.waiter = true, nil
	}
}

func (m *readModel) take(n int) string {
	p := m.buf[:min(n, len(m.buf))]
	m.buf = m.buf[len(p):]
	return p
}

func said(p string, err error) string { return fmt.Sprintf("%q %v", p, err) }

// begin is a call until it returns or waits: then the result is empty.
func (m *readModel) begin(c *readCall) {
	if m.err != nil {
		c.result = said("", m.err)
		return
	}
	m.step(c)
}

// resume is what a call does that was woken.
func (m *readModel) resume(c *readCall) {
	if m.waiter == c {
		m.waiter = nil
	}
	switch {
	case c.cancelled:
		c.result = said("", asyncio.ErrCancelled)
	case c.failed != nil:
		c.result = said("", c.failed)
	default:
		c.woken = false
		m.step(c)
	}
}

func (m *readModel) step(c *readCall) {
	switch c.name {
	case "read":
		if m.buf != "" || m.eof {
			if c.result = said(m.take(c.n), nil); m.eof && c.result == said("", nil) {
				c.result = said("", fmt.Errorf("EOF"))
			}
			return
		}
	case "readexactly":
		if len(m.buf) >= c.n {
			c.result = said(m.take(c.n), nil)
			return
		}
		if m.eof {
			c.result = said("", &asyncio.IncompleteReadError{Partial: []byte(m.take(c.n)), Expected: c.n})
			return
		}
	case "readuntil":
		shortest, longest := len(c.seps[0]), len(c.seps[len(c.seps)-1])
		if len(m.buf)-c.seen >= shortest {
			start, end := 0, 0
			for _, sep := range c.seps { // by length: the shortest wins
				if i := strings.Index(m.buf[c.seen:], sep); i >= 0 && (end == 0 || c.seen+i+len(sep) < end) {
					start, end = c.seen+i, c.seen+i+len(sep)
				}
			}
			if end > 0 {
				if start > m.limit {
					c.result = fmt.Sprint("found, after ", start)
				} else {
					c.result = said(m.take(end), nil)
				}
				return
			}
			if c.seen = max(0, len(m.buf)+1-longest); c.seen > m.limit {
				c.result = fmt.Sprint("not found, after ", c.seen)
				return
			}
		}
		if m.eof {
			c.result = said("", &asyncio.IncompleteReadError{Partial: []byte(m.take(len(m.buf))), Expected: -1})
			return
		}
	}
	switch {
	case m.err != nil: // CPython waits here for what will not come
		c.result = said("", m.err)
	case m.waiter != nil:
		c.result = "RuntimeError"
	default:
		m.waiter = c
	}
}

// TestStreamReaderModel plays random calls of several tasks, data, ends, failures and
// cancels, any number of them before those run whom they wake, and compares what each
// call returns with the model.
func TestStreamReaderModel(t *testing.T) {
	seps := [][]string{{"\n"}, {"b", "ab"}, {"a", "ba"}, {"ab", "aab"}, {"b", "aa"}}
	for seed := range uint64(3000) {
		rnd := rand.New(rand.NewPCG(seed, 9))
		play(t, func(ctx context.Context) error {
			l := asyncio.CurrentTask(ctx).Loop()
			m := &readModel{limit: 1 + rnd.IntN(6)}
			r := asyncio.NewStreamReader(l, m.limit)
			type call struct {
				*readCall
				task *asyncio.Task[string]
			}
			var calls []call // those that have not returned, in the order in which they run next
			var log []string
			start := func() {
				c := &readCall{name: []string{"read", "readexactly", "readuntil"}[rnd.IntN(3)], n: 1 + rnd.IntN(4)}
				c.seps = seps[rnd.IntN(len(seps))]
				log = append(log, fmt.Sprintf("%s(%d, %q)", c.name, c.n, c.seps))
				real := func(ctx context.Context) (string, error) {
					var p []byte
					var err error
					switch c.name {
					case "read":
						p, err = r.Read(ctx, c.n)
					case "readexactly":
						p, err = r.ReadExactly(ctx, c.n)
					default:
						var all [][]byte
						for _, sep := range c.seps {
							all = append(all, []byte(sep))
						}
						rnd.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
						p, err = r.ReadUntil(ctx, all...)
					}
					var over *asyncio.LimitOverrunError
					switch {
					case errors.As(err, &over) && strings.Contains(err.Error(), "not found"):
						return fmt.Sprint("not found, after ", over.Consumed), nil
					case errors.As(err, &over):
						return fmt.Sprint("found, after ", over.Consumed), nil
					case err != nil && strings.Contains(err.Error(), "another coroutine"):
						return "RuntimeError", nil
					}
					return said(string(p), err), nil
				}
				// Eager: it runs to its first wait at once, as in the model.
				task := asyncio.CreateTask(ctx, real, asyncio.EagerStart(true))
				m.begin(c)
				calls = append(calls, call{c, task})
			}
			var order []call // those that are woken, in this order
			for range 30 {
				switch rnd.IntN(9) {
				case 0, 1, 2:
					if len(calls) < 3 {
						start()
					}
				case 3, 4, 5:
					if !m.eof {
						data := []string{"a", "b", "ab", "aab", "x", "xx\n", "ba"}[rnd.IntN(7)]
						log = append(log, "feed "+data)
						r.FeedData([]byte(data))
						m.buf += data
						m.wake()
					}
				case 6:
					if len(calls) > 0 {
						c := calls[rnd.IntN(len(calls))]
						log = append(log, "cancel")
						if c.result == "" && !c.cancelled {
							c.cancelled = c.task.Cancel()
							c.woken = true
						}
					}
				case 7:
					if rnd.IntN(8) == 0 {
						log = append(log, "fail")
						err := fmt.Errorf("lost %d", len(log))
						r.SetException(err)
						if m.err = err; m.waiter != nil {
							m.waiter.failed = err
							m.wake()
						}
					} else if rnd.IntN(8) == 0 && !m.eof {
						log = append(log, "eof")
						r.FeedEOF()
						m.eof = true
						m.wake()
					}
				case 8:
					asyncio.Sleep(ctx, 0)
					log = append(log, "turn")
				}
				for _, c := range calls { // who was woken by this
					if c.woken && !slices.Contains(order, c) {
						order = append(order, c)
					}
				}
				if log == nil || log[len(log)-1] != "turn" {
					continue
				}
				for _, c := range order {
					if c.result == "" {
						m.resume(c.readCall)
					}
				}
				order = order[:0]
				calls = slices.DeleteFunc(calls, func(c call) bool {
					if c.result == "" {
						require.False(t, c.task.Done(), "seed %d: %v: a call has returned that waits in CPython", seed, log)
						return false
					}
					got, err := c.task.Await(ctx)
					require.NoError(t, err)
					require.Equal(t, c.result, got, "seed %d: %v", seed, log)
					return true
				})
			}
			for _, c := range calls {
				c.task.Cancel()
			}
			for _, c := range calls {
				c.task.Await(ctx)
			}
			var rest []byte
			if m.err == nil {
				rest, _ = r.Read(ctx, len(m.buf))
				require.True(t, bytes.Equal([]byte(m.buf), rest), "seed %d: %v", seed, log)
			}
			return nil
		})
	}
}
