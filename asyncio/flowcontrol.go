package asyncio

import (
	"context"
	"net"
)

// ErrConnectionLost is returned by Drain when the connection is over. It is
// net.ErrClosed, too. Python: ConnectionResetError("Connection lost").
var ErrConnectionLost = errorf("ConnectionResetError", net.ErrClosed, "Connection lost")

// flowControl is the part of a stream's protocol that makes those wait who write
// more than can be sent, or wait for the end of the connection.
type flowControl struct {
	owner   owner
	paused  bool
	over    bool
	err     error // with which it is over
	drains  line
	closers line
}

// PauseWriting makes Drain wait.
func (f *flowControl) PauseWriting() { f.paused = true }

// ResumeWriting wakes the tasks that wait in Drain.
func (f *flowControl) ResumeWriting() {
	f.paused = false
	f.drains.wake(everybody)
}

// connectionLost has all go on who wait.
func (f *flowControl) connectionLost(err error) {
	f.over, f.err = true, err
	f.drains.wake(everybody)
	f.closers.wake(everybody)
}

// drain waits until no more is to be sent than is good.
func (f *flowControl) drain(ctx context.Context) error {
	if f.over {
		return ErrConnectionLost
	}
	if !f.paused {
		return nil
	}
	t, err := f.owner.caller(ctx, "StreamWriter")
	if err != nil {
		return err
	}
	g, err := f.drains.enter(ctx, t)
	if g != nil {
		_, err = g.Switch(nil)
	}
	if _, err = f.drains.leave(t, err); err == nil && f.over {
		err = f.err
	}
	return err
}

// waitClosed waits for the end of the connection.
func (f *flowControl) waitClosed(ctx context.Context) error {
	if f.over {
		return f.err
	}
	t, err := f.owner.caller(ctx, "StreamWriter")
	if err != nil {
		return err
	}
	if _, err = f.closers.wait(ctx, t); err == nil {
		err = f.err
	}
	return err
}
