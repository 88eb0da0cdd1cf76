package asyncio

import (
	"context"
	"encoding/gob"
	"io"
	"os"
	"os/signal"
	"sync"
)

// workerVariable marks a process as a worker.
const workerVariable = "ASYNCIO_PROCESS_WORKER"

// greeting is what a worker says first. It tells it from a program that does not
// know that it should be one.
const greeting = "asyncio process worker 1\n"

// A request asks a worker for a call, or, without a job, to cancel it.
type request struct {
	Number uint64
	Job    string
	Arg    []byte
}

// A reply is the result of a call.
type reply struct {
	Number  uint64
	Result  []byte
	Failure *jobError
}

// ProcessWorker makes the process a worker of a ProcessPool, if it was started as
// one, and does not return then. In any other process it does nothing. A program
// that uses a ProcessPool calls it at the start of main, before anything else; a
// test does so in TestMain.
//
// A worker reads what it is to do from its standard input and ends when that is
// closed, which the end of the other process does, however it comes. What jobs
// print to os.Stdout goes to standard error: standard output carries the results.
// Interrupts are ignored: the program that has started it decides.
func ProcessWorker() {
	if !isWorker() {
		return
	}
	os.Unsetenv(workerVariable) // what a job starts is no worker
	signal.Ignore(os.Interrupt)
	in, out := os.Stdin, os.Stdout
	os.Stdin, _ = os.Open(os.DevNull)
	os.Stdout = os.Stderr
	serveJobs(in, out)
	os.Exit(0)
}

// isWorker reports whether the process was started as a worker and has not become
// one.
func isWorker() bool { return os.Getenv(workerVariable) != "" }

// serveJobs calls what in asks for, until in ends.
func serveJobs(in io.Reader, out io.Writer) {
	if _, err := io.WriteString(out, greeting); err != nil {
		return
	}
	requests, replies := gob.NewDecoder(in), gob.NewEncoder(out)
	var mu sync.Mutex // guards replies and cancels
	cancels := make(map[uint64]context.CancelFunc)
	for {
		var r request
		if requests.Decode(&r) != nil {
			return
		}
		mu.Lock()
		if r.Job == "" {
			if cancel := cancels[r.Number]; cancel != nil {
				cancel()
			}
			mu.Unlock()
			continue
		}
		ctx, cancel := context.WithCancel(context.Background())
		cancels[r.Number] = cancel
		mu.Unlock()
		go func() {
			done := reply{Number: r.Number, Failure: &jobError{Class: "RuntimeError", Message: "asyncio: the job has ended its goroutine by runtime.Goexit"}}
			defer func() {
				mu.Lock()
				defer mu.Unlock()
				cancel()
				delete(cancels, r.Number)
				replies.Encode(&done)
			}()
			done.Result, done.Failure = r.call(ctx)
		}()
	}
}
