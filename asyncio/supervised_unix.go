//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package asyncio

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// The descriptors that a child of RunProcesses inherits.
const (
	lifeDescriptor  = 3 + iota // ends with the process that has started it
	readyDescriptor            // gets a byte when main is ready
	firstListener
)

// runSupervised is RunProcesses in a child. It returns its exit code.
func runSupervised(ctx context.Context, mark string, want int, main func(context.Context, []net.Listener) error, o *processesOptions) int {
	// They are for the process that has started this one, which gets them, too,
	// from a terminal. They are not ignored, as programs would inherit that.
	signal.Notify(make(chan os.Signal, 1), os.Interrupt, syscall.SIGHUP)

	count, err := strconv.Atoi(mark)
	if err != nil || count != want {
		slog.Error(fmt.Sprintf("asyncio: the process has inherited %s listeners, but wants %d", mark, want))
		return 1
	}
	life, ready := inherited(lifeDescriptor), inherited(readyDescriptor)
	sayReady := sync.OnceFunc(func() {
		ready.Write([]byte{1})
		ready.Close()
	})
	told := false // to end
	err = RunFunc(context.WithoutCancel(ctx), func(ctx context.Context) error {
		l, err := RunningLoop(ctx)
		if err != nil {
			return err
		}
		listeners, err := inheritedListeners(l, count, sayReady)
		if err != nil {
			return err
		}
		me := CurrentTask(ctx)
		end := func() {
			told = true
			me.Cancel()
		}
		if err := l.AddSignalHandler(syscall.SIGTERM, end); err != nil {
			return err
		}
		go func() {
			io.Copy(io.Discard, life)
			l.s.Post(end)
			time.Sleep(o.grace) // nobody else would see to it
			os.Exit(1)
		}()
		if count == 0 {
			l.CallSoon(sayReady) // comes when main waits
		}
		return main(ctx, listeners)
	}, append(o.run[:len(o.run):len(o.run)], WithSignals(false))...)

	exit := asExit(err)
	switch {
	case err == nil, told && asCancelled(err) != nil:
		sayReady() // it had nothing to serve
		return 0
	case exit != nil:
		sayReady()
		return exit.Code
	}
	logLines(fmt.Sprintf("asyncio: process %d has failed", os.Getpid()), "error", err, "")
	return 1
}

// inherited is a descriptor that is not inherited any further.
func inherited(fd int) *os.File {
	unix.CloseOnExec(fd)
	return os.NewFile(uintptr(fd), "inherited descriptor "+strconv.Itoa(fd))
}

// inheritedListeners makes listeners of l of the descriptors. used is called when
// one is first used.
func inheritedListeners(l *Loop, count int, used func()) ([]net.Listener, error) {
	all := make([]net.Listener, count)
	for i := range all {
		f := inherited(firstListener + i)
		ln, err := net.FileListener(f)
		f.Close()
		if err != nil {
			return nil, err
		}
		if ln, err = l.world().conns.listener(l, ln.Addr().Network(), ln, 0); err != nil {
			return nil, err
		}
		own := ln.(systemListener)
		own.keepPath() // the file of a unix socket is not this process's
		all[i] = &inheritedListener{own, used}
	}
	return all, nil
}

// An inheritedListener tells that it is used: a process that accepts has
// everything that it needs.
type inheritedListener struct {
	systemListener
	used func()
}

// A systemListener is a listener of either kind.
type systemListener interface {
	net.Listener
	SyscallConn() (syscall.RawConn, error)
	File() (*os.File, error)
	SetDeadline(t time.Time) error
	keepPath()
}

func (n *inheritedListener) Accept() (net.Conn, error) {
	n.used()
	return n.systemListener.Accept()
}

// SyscallConn is called by WithSocket.
func (n *inheritedListener) SyscallConn() (syscall.RawConn, error) {
	n.used()
	return n.systemListener.SyscallConn()
}

// File is, too, where the loop watches no descriptors.
func (n *inheritedListener) File() (*os.File, error) {
	n.used()
	return n.systemListener.File()
}
