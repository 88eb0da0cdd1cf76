package asyncio

import (
	"bytes"
	"context"
	"encoding/gob"
	"fmt"
	"runtime/debug"
	"strings"
	"sync"
)

// A Job is a function with a name, which a worker process can be told to call:
// see ProcessPool.
type Job[A, R any] struct{ name string }

// RegisterJob gives f a name under which worker processes know it. It must have
// been called when ProcessWorker is: make it the value of a package variable. A
// name that is taken panics with a ValueError. It costs an entry in a map, and
// may be called by any goroutine; it does not switch.
//
// Argument and result travel by encoding/gob: so they have exported fields, or
// none of package gob's other troubles, or are None. The ctx that f is given ends
// when the wait for the result is cancelled. f runs in a process of its own, and
// shares no variable with the one that asks.
func RegisterJob[A, R any](name string, f func(ctx context.Context, arg A) (R, error)) *Job[A, R] {
	jobs.mu.Lock()
	defer jobs.mu.Unlock()
	if jobs.byName == nil {
		jobs.byName = make(map[string]jobFunc)
	}
	if jobs.byName[name] != nil {
		panic(valueErrorf("a job of the name %q is registered already", name))
	}
	jobs.byName[name] = func(ctx context.Context, packed []byte) ([]byte, error) {
		var arg A
		if err := unpack(packed, &arg); err != nil {
			return nil, fmt.Errorf("asyncio: the argument of job %q: %w", name, err)
		}
		v, err := f(ctx, arg)
		if err != nil {
			return nil, err
		}
		if packed, err = pack(v); err != nil {
			return nil, fmt.Errorf("asyncio: the result of job %q: %w", name, err)
		}
		return packed, nil
	}
	return &Job[A, R]{name}
}

// Name returns the name that the job was registered with. Any goroutine may call
// it; it does not switch.
func (j *Job[A, R]) Name() string { return j.name }

// jobs are what RegisterJob was called with.
var jobs struct {
	mu     sync.Mutex
	byName map[string]jobFunc
}

// A jobFunc is a job's function, with what goes in and comes out as bytes.
type jobFunc func(ctx context.Context, packed []byte) ([]byte, error)

// call calls the job that a worker was asked for. What goes wrong in it goes back
// as a jobError.
func (r *request) call(ctx context.Context) (packed []byte, failure *jobError) {
	jobs.mu.Lock()
	f := jobs.byName[r.Job]
	jobs.mu.Unlock()
	if f == nil {
		return nil, &jobError{Class: "RuntimeError", Message: fmt.Sprintf("asyncio: job %q is not registered in the worker process", r.Job)}
	}
	defer func() {
		if p := recover(); p != nil {
			failure = &jobError{Message: fmt.Sprint(p), Stack: debug.Stack()}
		}
	}()
	packed, err := f(ctx, r.Arg)
	return packed, packError(err)
}

// pack makes bytes of v.
func pack[T any](v T) ([]byte, error) {
	if _, empty := any(v).(None); empty {
		return nil, nil
	}
	var b bytes.Buffer
	err := gob.NewEncoder(&b).Encode(&v)
	return b.Bytes(), err
}

// unpack is the inverse of pack.
func unpack[T any](packed []byte, v *T) error {
	if _, empty := any(*v).(None); empty {
		return nil
	}
	return gob.NewDecoder(bytes.NewReader(packed)).Decode(v)
}

// A jobError is how the error of a job travels.
type jobError struct {
	Class   string // Python's name for it
	Message string
	Stack   []byte // of a panic
	Whole   []byte // the error itself, if its type is known to package gob
}

// packError makes a jobError of err.
func packError(err error) *jobError {
	if err == nil {
		return nil
	}
	e := &jobError{Class: "Exception", Message: err.Error()}
	if class := className(err); class != "" {
		e.Class = class
	}
	if whole, err := pack(err); err == nil {
		e.Whole = whole
	}
	return e
}

// unpacked returns the error that e was made of, or what is left of it.
func (e *jobError) unpacked(process string) error {
	var whole error
	switch {
	case e.Stack != nil:
		return &PanicError{Value: e.Message, Stack: e.Stack, Greenlet: process}
	case e.Whole != nil && unpack(e.Whole, &whole) == nil:
		return whole
	case e.Class == "CancelledError":
		return &CancelledError{}
	}
	return &RemoteError{Class: e.Class, Message: e.Message}
}

// A RemoteError is an error of a job in a worker process: what is left of an
// error whose type encoding/gob does not know. One that was registered with
// gob.Register arrives as it was. One of the class ValueError, TypeError or
// RuntimeError is ErrValue, ErrType or ErrRuntime by errors.Is.
type RemoteError struct {
	Class   string // Python's name of the error: "ValueError", or "Exception" if it has none
	Message string // what its Error has returned
}

// Error returns the message.
func (e *RemoteError) Error() string { return e.Message }

// PyName is the name of the class in Python.
func (e *RemoteError) PyName() string { return e.Class }

// Is reports whether target is the sentinel of its class.
func (e *RemoteError) Is(target error) bool { return classIs(e.Class, target) }

// As makes target a *ValueError, *TypeError or *RuntimeError, if e was one.
func (e *RemoteError) As(target any) bool {
	return classAs(&classError{class: e.Class, msg: strings.TrimPrefix(e.Message, "asyncio: ")}, target)
}
