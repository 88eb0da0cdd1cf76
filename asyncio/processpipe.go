package asyncio

import (
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"
)

// A poolProcess is a worker process, seen from the process that has the pool. Its
// goroutine starts the process, reads what it sends and waits for its end; a
// second one writes, because a pipe may be full.
type poolProcess struct {
	pool *ProcessPool
	call *processCall // what it is to do; pool.mu guards it

	mu        sync.Mutex
	process   *os.Process
	killed    bool
	dismissed bool
	letters   []request
	bell      chan struct{} // rings for the writer; holds one token at most
}

// startPatience is how long a process may take to say that it is a worker.
const startPatience = 30 * time.Second

// give has r sent to the process. It does not wait.
func (w *poolProcess) give(r request) {
	w.mu.Lock()
	w.letters = append(w.letters, r)
	w.mu.Unlock()
	w.ring()
}

// dismiss closes the standard input of the process when all is sent, which ends
// it.
func (w *poolProcess) dismiss() {
	w.mu.Lock()
	w.dismissed = true
	w.mu.Unlock()
	w.ring()
}

// kill ends the process at once.
func (w *poolProcess) kill() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.killed = true
	if w.process != nil {
		w.process.Kill()
	}
}

func (w *poolProcess) wasKilled() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.killed
}

func (w *poolProcess) ring() {
	select {
	case w.bell <- struct{}{}:
	default:
	}
}

// life starts the process and attends to it until its end.
func (w *poolProcess) life() {
	err := w.attend()
	if call := w.pool.died(w); call != nil {
		call.finish(nil, fmt.Errorf("%w: %w", ErrBrokenProcessPool, err))
	}
}

// emulator is what starts programs where the tests run in one, which cannot start
// them by itself.
var emulator []string

// attend returns why the process has ended.
func (w *poolProcess) attend() error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	argv := append(emulator[:len(emulator):len(emulator)], program)
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), workerVariable+"=1")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	w.mu.Lock()
	w.process = cmd.Process
	if w.killed {
		w.process.Kill()
	}
	w.mu.Unlock()

	over := make(chan struct{})
	written := make(chan struct{})
	go func() {
		defer close(written)
		w.write(in, over)
	}()
	err = w.read(out, fmt.Sprintf("worker process %d", cmd.Process.Pid))
	close(over)
	cutOff := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
	if !cutOff {
		cmd.Process.Kill() // it lives, and makes no sense
	}
	in.Close()
	<-written
	if ended := cmd.Wait(); ended != nil && cutOff {
		return ended
	}
	return err
}

// write sends what give was given.
func (w *poolProcess) write(in io.WriteCloser, over chan struct{}) {
	requests := gob.NewEncoder(in)
	for {
		w.mu.Lock()
		letters, last := w.letters, w.dismissed
		w.letters = nil
		w.mu.Unlock()
		for i := range letters {
			if requests.Encode(&letters[i]) != nil {
				return // the reader learns of it, too
			}
		}
		if last && len(letters) == 0 {
			in.Close()
			return
		}
		if len(letters) > 0 {
			continue
		}
		select {
		case <-w.bell:
		case <-over:
			return
		}
	}
}

// read takes the replies of the process, whose end is io.EOF.
func (w *poolProcess) read(out io.Reader, name string) error {
	late := time.AfterFunc(startPatience, w.kill)
	hello := make([]byte, len(greeting))
	_, err := io.ReadFull(out, hello)
	late.Stop()
	if w.wasKilled() {
		return errors.New("it was killed before it began")
	}
	if err != nil || string(hello) != greeting {
		return errors.New("it did not start as a worker; does main begin with asyncio.ProcessWorker?")
	}
	replies := gob.NewDecoder(out)
	for {
		var r reply
		if err := replies.Decode(&r); err != nil {
			return err
		}
		call := w.pool.returned(w)
		if r.Failure != nil {
			call.finish(nil, r.Failure.unpacked(name))
		} else {
			call.finish(r.Result, nil)
		}
	}
}
