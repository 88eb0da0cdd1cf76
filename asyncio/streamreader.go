package asyncio

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"iter"
	"math"

	"github.com/go-greenlet/greenlet"
)

// streamLimit is the limit of a StreamReader unless WithLimit says otherwise.
const streamLimit = 64 << 10

// A StreamReader reads what a connection receives, with calls that wait until it is
// there. It keeps what was not read yet; when that is more than twice the limit,
// nothing more is received until some of it is read.
//
// It belongs to its loop. One task at a time may wait for it; a second one gets a
// RuntimeError. A wait that ends with an error has taken nothing, unless the call
// says otherwise. The error of a call that waits is io.EOF at the end, the error
// with which the connection has failed, or one of a wait. If what the call asks for
// is there it does not switch.
//
// Python: asyncio.StreamReader.
type StreamReader struct {
	owner     owner
	limit     int
	got       byteQueue
	eof       bool
	err       error
	transport ReadTransport
	paused    bool
	waiters   line   // the task that waits, and cancelled ones
	waiter    *task  // the task that waits and has not been woken
	into      []byte // where it wants what comes; nil: in got
	filled    int    // how much has come there
	failed    *task  // the task whose wait SetException has ended
	failure   error  // with this
}

// IncompleteReadError is returned where a stream ends before what was asked for.
// It is io.ErrUnexpectedEOF by errors.Is. Python: asyncio.IncompleteReadError.
type IncompleteReadError struct {
	Partial  []byte // what there was
	Expected int    // how many bytes were asked for; -1 if that is not known
}

// Error tells how much there was.
func (e *IncompleteReadError) Error() string {
	expected := "undefined"
	if e.Expected >= 0 {
		expected = fmt.Sprint(e.Expected)
	}
	return fmt.Sprintf("asyncio: %d bytes read on a total of %s expected bytes", len(e.Partial), expected)
}

// Is reports whether target is io.ErrUnexpectedEOF.
func (e *IncompleteReadError) Is(target error) bool { return target == io.ErrUnexpectedEOF }

// PyName is the name of the class in Python.
func (e *IncompleteReadError) PyName() string { return "IncompleteReadError" }

// LimitOverrunError is returned by ReadUntil if the separator is further away than
// the limit. Nothing was taken: see StreamReader.ReadExactly. Python:
// asyncio.LimitOverrunError.
type LimitOverrunError struct {
	Consumed int // how many bytes there are before the separator, at least
	found    bool
}

// Error tells whether there is a separator.
func (e *LimitOverrunError) Error() string {
	if e.found {
		return "asyncio: Separator is found, but chunk is longer than limit"
	}
	return "asyncio: Separator is not found, and chunk exceed the limit"
}

// PyName is the name of the class in Python.
func (e *LimitOverrunError) PyName() string { return "LimitOverrunError" }

// NewStreamReader makes a reader that is fed by FeedData and FeedEOF. limit is in
// bytes; zero or less is 64 KiB. Any goroutine may call it. Python:
// asyncio.StreamReader.
func NewStreamReader(l *Loop, limit int) *StreamReader {
	if limit <= 0 {
		limit = streamLimit
	}
	return &StreamReader{owner: owner{loop: l}, limit: limit}
}

// beginWait is the first half of a wait for more. If there is a task that is to run
// meanwhile, it returns its greenlet, and endWait must be called after the switch.
func (r *StreamReader) beginWait(ctx context.Context, what string) (*task, *greenlet.Greenlet, error) {
	t, err := r.owner.caller(ctx, "StreamReader")
	switch {
	case err != nil:
		return nil, nil, err
	case r.err != nil:
		return nil, nil, r.err
	case r.waiter != nil || r.into != nil:
		return nil, nil, runtimeErrorf("%s() called while another coroutine is already waiting for incoming data", what)
	}
	if r.paused { // more is wanted than is kept
		r.paused = false
		r.transport.ResumeReading()
	}
	r.waiter = t
	g, err := r.waiters.enter(ctx, t)
	return t, g, err
}

// wake wakes who waits.
func (r *StreamReader) wake() {
	if r.waiter != nil {
		r.waiter = nil
		r.waiters.wake(1)
	}
}

// endWait is the second half of a wait. What has come for a task that was cancelled
// is kept for the next.
func (r *StreamReader) endWait(t *task, err error) error {
	if t == nil {
		return err
	}
	_, err = r.waiters.leave(t, err)
	if r.waiter == t {
		r.waiter = nil
	}
	if r.failed == t {
		err = cmp.Or(err, r.failure)
		r.failed, r.failure = nil, nil
	}
	if err != nil {
		if r.filled > 0 {
			r.got.unshift(r.into[:r.filled])
		}
		r.into, r.filled = nil, 0
	}
	return err
}

// ready reports whether something can be returned without waiting, or err.
func (r *StreamReader) ready() bool { return r.got.len() > 0 || r.eof }

// Read returns what has come, at most n bytes, and waits until there is something.
// With n below zero it waits for the end, and returns all there is until then; if
// that is nothing, io.EOF. The memory is the caller's: it is the one allocation,
// which keeps the collector busy if much is read. ReadInto has none. Python:
// StreamReader.read.
func (r *StreamReader) Read(ctx context.Context, n int) ([]byte, error) {
	if r.err != nil {
		return nil, r.err
	}
	if n == 0 {
		return nil, nil
	}
	for !r.eof && (r.got.len() == 0 || n < 0) {
		t, g, err := r.beginWait(ctx, "read")
		if g != nil {
			_, err = g.Switch(nil)
		}
		if err = r.endWait(t, err); err != nil {
			return nil, err
		}
	}
	if r.got.len() == 0 {
		return nil, io.EOF
	}
	if n < 0 {
		n = math.MaxInt
	}
	p := r.got.take(n)
	r.resume()
	return p, nil
}

// ReadInto is Read into memory of the caller's, of which it returns how much it
// has filled: what there is, at least one byte. It allocates nothing. While it
// waits p must not be touched. Python has no such call.
func (r *StreamReader) ReadInto(ctx context.Context, p []byte) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	if len(p) == 0 {
		return 0, nil
	}
	for !r.ready() {
		t, g, err := r.beginWait(ctx, "read")
		if g != nil {
			r.into = p
			_, err = g.Switch(nil)
		}
		if err = r.endWait(t, err); err != nil {
			return 0, err
		}
		n := r.filled
		r.into, r.filled = nil, 0
		if n > 0 {
			return n, nil
		}
	}
	if r.got.len() == 0 {
		return 0, io.EOF
	}
	n := r.got.read(p)
	r.resume()
	return n, nil
}

// ReadExactly returns n bytes, and waits until there are as many. If the stream
// ends before, the error is an *IncompleteReadError with those there were. It is a
// ValueError if n is below zero. n may be more than the limit. Python:
// StreamReader.readexactly.
func (r *StreamReader) ReadExactly(ctx context.Context, n int) ([]byte, error) {
	switch {
	case n < 0:
		return nil, valueErrorf("readexactly size can not be less than zero")
	case r.err != nil:
		return nil, r.err
	case n == 0:
		return nil, nil
	}
	for r.got.len() < n {
		if r.eof {
			return nil, r.incomplete(n)
		}
		t, g, err := r.beginWait(ctx, "readexactly")
		if g != nil {
			_, err = g.Switch(nil)
		}
		if err = r.endWait(t, err); err != nil {
			return nil, err
		}
	}
	p := r.got.take(n)
	r.resume()
	return p, nil
}

// incomplete takes what there is at the end, which is less than expected.
func (r *StreamReader) incomplete(expected int) error {
	return &IncompleteReadError{r.got.take(math.MaxInt), expected}
}

// ReadLine waits for a line, and returns it with its newline. The last line of the
// stream may have none; after it the error is io.EOF. If a line is longer than the
// limit, what has come of it is dropped, and the error is a ValueError. Other errors
// are the reader's. Only a task may call it; it switches if the line is not there yet.
// Python: StreamReader.readline.
func (r *StreamReader) ReadLine(ctx context.Context) ([]byte, error) {
	line, err := r.ReadUntil(ctx, newline)
	switch e := err.(type) {
	case *IncompleteReadError:
		if len(e.Partial) == 0 {
			return nil, io.EOF
		}
		return e.Partial, nil
	case *LimitOverrunError:
		n := r.got.len()
		if bytes.HasPrefix(r.got.bytes()[e.Consumed:], newline) {
			n = e.Consumed + 1
		}
		r.got.drop(n)
		r.resume()
		return nil, errorf("ValueError", e, "%s", e.Error()[len("asyncio: "):])
	}
	return line, err
}

var newline = []byte{'\n'}

// ReadUntil returns the bytes up to the next of the separators, with it: that which
// ends first. Without any it is a newline. How far away it may be is counted from
// where it begins; of several that end there, the shortest. If the
// stream ends before, the error is an *IncompleteReadError with what there was. If
// the separator is further away than the limit it is a *LimitOverrunError, and
// nothing is taken. It is a ValueError if a separator is empty. Python:
// StreamReader.readuntil, of 3.13.
func (r *StreamReader) ReadUntil(ctx context.Context, seps ...[]byte) ([]byte, error) {
	if len(seps) == 0 {
		seps = [][]byte{newline}
	}
	shortest, longest := math.MaxInt, 0
	for _, sep := range seps {
		shortest, longest = min(shortest, len(sep)), max(longest, len(sep))
	}
	if shortest == 0 {
		return nil, valueErrorf("Separator should be at least one-byte string")
	}
	if r.err != nil {
		return nil, r.err
	}
	// No separator begins in what is before seen. If another reader takes some of
	// that meanwhile, what comes in its place is not looked at, as in Python.
	for seen := 0; ; {
		if r.got.len()-seen >= shortest {
			if start, end := find(r.got.bytes(), seen, seps); end > 0 {
				if start > r.limit {
					return nil, &LimitOverrunError{start, true}
				}
				p := r.got.take(end)
				r.resume()
				return p, nil
			}
			if seen = max(0, r.got.len()+1-longest); seen > r.limit {
				return nil, &LimitOverrunError{seen, false}
			}
		}
		if r.eof {
			return nil, r.incomplete(-1)
		}
		t, g, err := r.beginWait(ctx, "readuntil")
		if g != nil {
			_, err = g.Switch(nil)
		}
		if err = r.endWait(t, err); err != nil {
			return nil, err
		}
	}
}

// find returns where the first of seps begins and ends: that which ends first, and
// of those the shortest.
func find(p []byte, from int, seps [][]byte) (start, end int) {
	for _, sep := range seps {
		i := bytes.Index(p[from:], sep)
		if i < 0 {
			continue
		}
		i += from
		if to := i + len(sep); end == 0 || to < end || to == end && i > start {
			start, end = i, to
		}
	}
	return start, end
}

// Lines returns the lines, one by one, for range: see ReadLine. An error other
// than io.EOF comes with a nil line, and is the last. Only a task may range over
// it. Python: async for line in reader.
func (r *StreamReader) Lines(ctx context.Context) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for {
			line, err := r.ReadLine(ctx)
			if err == io.EOF || !yield(line, err) || err != nil {
				return
			}
		}
	}
}

// Reader returns the stream as an io.Reader whose calls wait with ctx: for package
// bufio, io.Copy and the like. Python has no such call.
func (r *StreamReader) Reader(ctx context.Context) io.Reader { return &boundReader{r, ctx} }

type boundReader struct {
	r   *StreamReader
	ctx context.Context
}

// Read is ReadInto.
func (b *boundReader) Read(p []byte) (n int, err error) {
	t, _ := current(b.ctx)
	err = t.below(func() (err error) {
		n, err = b.r.ReadInto(b.ctx, p)
		return err
	})
	return n, err
}

// AtEOF reports whether the stream has ended and everything was taken. Owner
// only. Python: StreamReader.at_eof.
func (r *StreamReader) AtEOF() bool { return r.eof && r.got.len() == 0 }

// Exception returns the error with which the connection has failed, or nil. Owner
// only. Python: StreamReader.exception.
func (r *StreamReader) Exception() error { return r.err }

// SetException makes all further calls return err, and the call that waits, too,
// even if what it waits for comes before its task runs. Owner only; it does not
// switch. Python: StreamReader.set_exception.
func (r *StreamReader) SetException(err error) {
	r.err = err
	if r.waiter != nil {
		r.failed, r.failure = r.waiter, err
		r.wake()
	}
}

// SetTransport tells the reader what it has to pause when too much comes. It
// panics with a RuntimeError if it was told before. Owner only. Python:
// StreamReader.set_transport.
func (r *StreamReader) SetTransport(t ReadTransport) {
	if r.transport != nil {
		panic(runtimeErrorf("Transport already set"))
	}
	r.transport = t
}

// FeedEOF ends the stream. Owner only; it does not switch. Python:
// StreamReader.feed_eof.
func (r *StreamReader) FeedEOF() {
	r.eof = true
	r.wake()
}

// FeedData adds a copy of data, which has come. It panics with a RuntimeError
// after FeedEOF. Owner only; it does not switch. Python: StreamReader.feed_data.
func (r *StreamReader) FeedData(data []byte) {
	if r.eof {
		panic(runtimeErrorf("feed_data after feed_eof"))
	}
	if len(data) == 0 {
		return
	}
	if r.into != nil && r.filled == 0 {
		r.filled = copy(r.into, data)
		data = data[r.filled:]
	}
	r.got.push(data)
	r.fed()
}

// fed wakes who waits for what has come, and stops more if that is too much.
func (r *StreamReader) fed() {
	r.wake()
	if r.transport != nil && !r.paused && r.got.len() > 2*r.limit {
		r.paused = true
		r.transport.PauseReading()
	}
}

// resume has more received if there is place for it.
func (r *StreamReader) resume() {
	if r.paused && r.got.len() <= r.limit {
		r.paused = false
		r.transport.ResumeReading()
	}
}

// directRead is from how many bytes on ReadInto is read into directly. A smaller
// buffer would be filled by less than has come, and another system call be
// needed to find that out.
const directRead = 4 << 10

// buffer returns where the next read is to go.
func (r *StreamReader) buffer() []byte {
	if len(r.into) >= directRead && r.filled == 0 {
		return r.into
	}
	return r.owner.loop.readBuffer()
}

// updated takes n bytes that were read into what buffer has returned.
func (r *StreamReader) updated(n int) {
	if len(r.into) >= directRead && r.filled == 0 {
		r.filled = n
		r.fed()
		return
	}
	r.FeedData(r.owner.loop.readBuffer()[:n])
}
