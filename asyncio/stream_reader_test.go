package asyncio_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/go-greenlet/greenlet/asyncio"
)

// fedReader makes a reader that the test feeds.
func fedReader(ctx context.Context, limit int, pieces ...string) *asyncio.StreamReader {
	r := asyncio.NewStreamReader(asyncio.CurrentTask(ctx).Loop(), limit)
	for _, p := range pieces {
		r.FeedData([]byte(p))
	}
	return r
}

func TestStreamReaderReads(t *testing.T) {
	play(t, func(ctx context.Context) error {
		r := fedReader(ctx, 0, "one\ntw", "o\nthree")
		p, err := r.Read(ctx, 2)
		got(t, "Read", p, err, "on", nil)
		p, err = r.ReadLine(ctx)
		got(t, "ReadLine", p, err, "e\n", nil)
		p, err = r.ReadExactly(ctx, 3)
		got(t, "ReadExactly", p, err, "two", nil)
		p, err = r.ReadUntil(ctx, []byte("hr"), []byte("re"))
		got(t, "ReadUntil", p, err, "\nthr", nil)
		p, err = r.Read(ctx, 0)
		got(t, "Read of nothing", p, err, "", nil)
		r.FeedEOF()
		if r.AtEOF() {
			t.Error("at the end, and there is something left")
		}
		p, err = r.ReadLine(ctx)
		got(t, "the last line", p, err, "ee", nil)
		for range 2 {
			p, err = r.ReadLine(ctx)
			got(t, "a line after the last", p, err, "", io.EOF)
			p, err = r.Read(ctx, 5)
			got(t, "Read at the end", p, err, "", io.EOF)
			p, err = r.Read(ctx, -1)
			got(t, "Read of all at the end", p, err, "", io.EOF)
			n, err := r.ReadInto(ctx, make([]byte, 5))
			got(t, "ReadInto at the end", nil, err, "", io.EOF)
			if n != 0 {
				t.Error("ReadInto at the end:", n)
			}
		}
		p, err = r.ReadExactly(ctx, 1)
		got(t, "ReadExactly at the end", p, err, "", io.ErrUnexpectedEOF)
		if !r.AtEOF() {
			t.Error("not at the end")
		}
		_, err = r.ReadExactly(ctx, -1)
		wantPy(t, "a size below zero", err, "ValueError", "")
		_, err = r.ReadUntil(ctx, []byte("a"), nil)
		wantPy(t, "an empty separator", err, "ValueError", "")
		return nil
	})
}

func TestStreamReaderIncomplete(t *testing.T) {
	play(t, func(ctx context.Context) error {
		r := fedReader(ctx, 0, "abc")
		r.FeedEOF()
		_, err := r.ReadExactly(ctx, 5)
		var e *asyncio.IncompleteReadError
		if !errors.As(err, &e) || string(e.Partial) != "abc" || e.Expected != 5 || e.Error() != "asyncio: 3 bytes read on a total of 5 expected bytes" {
			t.Error(err)
		}
		r = fedReader(ctx, 0, "abc")
		r.FeedEOF()
		_, err = r.ReadUntil(ctx)
		if !errors.As(err, &e) || string(e.Partial) != "abc" || e.Expected != -1 || e.Error() != "asyncio: 3 bytes read on a total of undefined expected bytes" {
			t.Error(err)
		}
		return nil
	})
}

// A separator that is too far away: ReadUntil takes nothing, ReadLine drops the
// line and goes on behind it.
func TestStreamReaderLimit(t *testing.T) {
	play(t, func(ctx context.Context) error {
		var e *asyncio.LimitOverrunError
		r := fedReader(ctx, 3, "abcdefg\nhi\n")
		_, err := r.ReadUntil(ctx)
		if !errors.As(err, &e) || e.Consumed != 7 || pyMessage(err) != "Separator is found, but chunk is longer than limit" {
			t.Error(err)
		}
		_, err = r.ReadLine(ctx)
		wantPy(t, "a line that is too long", err, "ValueError", "")
		if !errors.As(err, &e) {
			t.Error("it is no LimitOverrunError:", err)
		}
		p, err := r.ReadLine(ctx)
		got(t, "the line after it", p, err, "hi\n", nil)

		r = fedReader(ctx, 3, "abcdefg")
		_, err = r.ReadUntil(ctx, []byte("xyz"))
		if !errors.As(err, &e) || e.Consumed != 5 || pyMessage(err) != "Separator is not found, and chunk exceed the limit" {
			t.Error(err)
		}
		p, err = r.ReadExactly(ctx, e.Consumed)
		got(t, "what there is before", p, err, "abcde", nil)
		r.FeedData([]byte("hij"))
		_, err = r.ReadLine(ctx)
		wantPy(t, "a line that is too long", err, "ValueError", "")
		r.FeedData([]byte("k\n"))
		p, err = r.ReadLine(ctx)
		got(t, "the rest of the line", p, err, "k\n", nil)
		return nil
	})
}

// A pausable is a transport that counts pauses.
type pausable struct {
	asyncio.ReadTransport
	paused          bool
	pauses, resumes int
}

func (p *pausable) PauseReading()  { p.paused = true; p.pauses++ }
func (p *pausable) ResumeReading() { p.paused = false; p.resumes++ }

func TestStreamReaderPauses(t *testing.T) {
	play(t, func(ctx context.Context) error {
		r, tr := fedReader(ctx, 4), &pausable{}
		r.SetTransport(tr)
		if p := panicked(func() { r.SetTransport(tr) }); p == nil {
			t.Error("a second transport is taken")
		}
		r.FeedData([]byte("12345678"))
		if tr.paused {
			t.Error("paused at twice the limit")
		}
		r.FeedData([]byte("9"))
		r.FeedData([]byte("0"))
		if tr.pauses != 1 {
			t.Error("pauses above twice the limit:", tr.pauses)
		}
		r.Read(ctx, 5)
		if tr.resumes != 0 {
			t.Error("resumed above the limit")
		}
		r.Read(ctx, 1)
		if tr.resumes != 1 {
			t.Error("not resumed at the limit")
		}
		// A read of more than is kept goes on.
		r.FeedData([]byte("12345"))
		if !tr.paused {
			t.Error("not paused")
		}
		whole := asyncio.CreateTask(ctx, func(ctx context.Context) ([]byte, error) { return r.ReadExactly(ctx, 12) })
		asyncio.Sleep(ctx, 0)
		if tr.paused {
			t.Error("paused while somebody waits for more")
		}
		r.FeedData([]byte("abc"))
		p, err := whole.Await(ctx)
		got(t, "ReadExactly of more than the limit", p, err, "789012345abc", nil)
		return nil
	})
}

// panicked returns what f panics with, or nil.
func panicked(f func()) (p any) {
	defer func() { p = recover() }()
	f()
	return nil
}

func TestStreamReaderOneAtATime(t *testing.T) {
	play(t, func(ctx context.Context) error {
		r := fedReader(ctx, 0)
		first := asyncio.CreateTask(ctx, func(ctx context.Context) ([]byte, error) { return r.Read(ctx, 9) })
		asyncio.Sleep(ctx, 0)
		for what, read := range map[string]func() error{
			"readuntil":   func() error { _, err := r.ReadLine(ctx); return err },
			"read":        func() error { _, err := r.ReadInto(ctx, make([]byte, 1)); return err },
			"readexactly": func() error { _, err := r.ReadExactly(ctx, 1); return err },
		} {
			err := read()
			wantPy(t, what, err, "RuntimeError", "")
			if want := what + "() called while another coroutine is already waiting for incoming data"; pyMessage(err) != want {
				t.Error(err)
			}
		}
		r.FeedData([]byte("data"))
		p, err := first.Await(ctx)
		got(t, "the first", p, err, "data", nil)
		return nil
	})
}

func TestStreamReaderException(t *testing.T) {
	play(t, func(ctx context.Context) error {
		r, broken := fedReader(ctx, 0), errors.New("broken")
		waiting := asyncio.CreateTask(ctx, func(ctx context.Context) ([]byte, error) { return r.ReadLine(ctx) })
		asyncio.Sleep(ctx, 0)
		r.FeedData([]byte("part"))
		r.SetException(broken)
		_, err := waiting.Await(ctx)
		got(t, "a read that waits", nil, err, "", broken)
		_, err = r.Read(ctx, 1)
		got(t, "a later one", nil, err, "", broken)
		if r.Exception() != broken {
			t.Error(r.Exception())
		}
		if p := panicked(func() { r.FeedEOF(); r.FeedData([]byte("x")) }); p == nil {
			t.Error("data after the end is taken")
		}
		return nil
	})
}

// A read that is cancelled has taken nothing, also in the turn in which it was
// served; the next gets it all.
func TestStreamReaderCancelledKeepsData(t *testing.T) {
	reads := map[string]func(ctx context.Context, r *asyncio.StreamReader) error{
		"Read":        func(ctx context.Context, r *asyncio.StreamReader) error { _, err := r.Read(ctx, 9); return err },
		"Read all":    func(ctx context.Context, r *asyncio.StreamReader) error { _, err := r.Read(ctx, -1); return err },
		"ReadExactly": func(ctx context.Context, r *asyncio.StreamReader) error { _, err := r.ReadExactly(ctx, 99); return err },
		"ReadLine":    func(ctx context.Context, r *asyncio.StreamReader) error { _, err := r.ReadLine(ctx); return err },
		"ReadInto": func(ctx context.Context, r *asyncio.StreamReader) error {
			_, err := r.ReadInto(ctx, make([]byte, 3))
			return err
		},
		"ReadInto, large": func(ctx context.Context, r *asyncio.StreamReader) error {
			_, err := r.ReadInto(ctx, make([]byte, 1<<16))
			return err
		},
	}
	for name, read := range reads {
		for _, when := range []string{"before", "with", "after"} {
			t.Run(name+" cancelled "+when, func(t *testing.T) {
				play(t, func(ctx context.Context) error {
					r := fedReader(ctx, 0)
					task := asyncio.Go(ctx, func(ctx context.Context) error { return read(ctx, r) })
					asyncio.Sleep(ctx, 0)
					if when == "before" {
						task.Cancel()
						task.Await(ctx)
					}
					r.FeedData([]byte("first "))
					if when == "with" {
						task.Cancel()
					}
					r.FeedData([]byte("second"))
					if when == "after" {
						task.Cancel()
					}
					if _, err := task.Await(ctx); !errors.Is(err, asyncio.ErrCancelled) {
						t.Error("the read:", err)
					}
					r.FeedEOF()
					p, err := r.Read(ctx, -1)
					got(t, "the next read", p, err, "first second", nil)
					return nil
				})
			})
		}
	}
}

// Whatever the pieces in which a text comes, reads of any kind give it back.
func TestStreamReaderRandomPieces(t *testing.T) {
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 5))
		var text bytes.Buffer
		for range 1 + random.IntN(40) {
			text.WriteString(strings.Repeat("x", random.IntN(200)) + "\n")
		}
		play(t, func(ctx context.Context) error {
			r := fedReader(ctx, 1<<16)
			feed := asyncio.Go(ctx, func(ctx context.Context) error {
				for rest := text.Bytes(); len(rest) > 0; {
					n := 1 + random.IntN(min(len(rest), 300))
					r.FeedData(rest[:n])
					rest = rest[n:]
					if random.IntN(2) == 0 {
						asyncio.Sleep(ctx, 0)
					}
				}
				r.FeedEOF()
				return nil
			})
			var all []byte
			buffer := make([]byte, 1<<13)
			for {
				var p []byte
				var err error
				switch random.IntN(5) {
				case 0:
					p, err = r.Read(ctx, 1+random.IntN(300))
				case 1:
					p, err = r.ReadLine(ctx)
				case 2:
					p, err = r.ReadExactly(ctx, 1+random.IntN(300))
				case 3:
					var n int
					p = buffer[:1+random.IntN(len(buffer))]
					n, err = r.ReadInto(ctx, p)
					p = p[:n]
				default:
					task := asyncio.CreateTask(ctx, func(ctx context.Context) ([]byte, error) { return r.Read(ctx, 100) })
					asyncio.Sleep(ctx, 0)
					task.Cancel()
					if p, err = task.Await(ctx); errors.Is(err, asyncio.ErrCancelled) {
						err = nil
					}
				}
				var e *asyncio.IncompleteReadError
				if errors.As(err, &e) {
					p, err = e.Partial, nil
				}
				all = append(all, p...)
				if err == io.EOF {
					break
				}
				if err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
			}
			if !bytes.Equal(all, text.Bytes()) {
				t.Errorf("seed %d: got %d bytes, want %d, or others", seed, len(all), text.Len())
			}
			_, err := feed.Await(ctx)
			return err
		})
	}
}

// What a read returns is the caller's: nothing that comes later changes it.
func TestStreamReaderOwnMemory(t *testing.T) {
	play(t, func(ctx context.Context) error {
		r := fedReader(ctx, 0)
		var kept [][]byte
		for i := range 50 {
			r.FeedData([]byte(fmt.Sprintf("%04d", i)))
			if i%3 == 0 {
				p, _ := r.Read(ctx, 4)
				kept = append(kept, p)
				_ = append(p, "overwritten"...) // no part of the reader's either
			}
		}
		for i, p := range kept {
			if want := fmt.Sprintf("%04d", i); string(p) != want {
				t.Errorf("read %d is %q now, want %q", i, p, want)
			}
		}
		return nil
	})
}

func TestStreamReaderLines(t *testing.T) {
	play(t, func(ctx context.Context) error {
		r := fedReader(ctx, 4, "a\nbb\nmuch too long\nlater\n")
		var lines []string
		var last error
		for line, err := range r.Lines(ctx) {
			lines, last = append(lines, string(line)), err
		}
		if want := "[a\n bb\n ]"; fmt.Sprint(lines) != want {
			t.Errorf("the lines are %q", lines)
		}
		wantPy(t, "the last", last, "ValueError", "")
		all, err := io.ReadAll(fedReader(ctx, 0).Reader(canceled(ctx)))
		if len(all) > 0 || !errors.Is(err, context.Canceled) {
			t.Errorf("a Reader with a context that has ended: %q, %v", all, err)
		}
		return nil
	})
}

func canceled(ctx context.Context) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	return ctx
}
