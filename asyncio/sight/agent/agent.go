//go:build linux || darwin || freebsd

package agent

import (
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/go-greenlet/greenlet/asyncio/internal/known"
	"github.com/go-greenlet/greenlet/asyncio/sight"
	"github.com/go-greenlet/greenlet/internal/agentsocket"
)

func init() { begin(os.Getenv("GREENLET_SIGHT")) }

// begin does what the environment asks for.
func begin(wanted string) {
	if wanted == "0" {
		return
	}
	a := &agent{}
	if wanted == "1" {
		a.toggle()
	}
	asked := make(chan os.Signal, 1)
	known.Signals.Store(true)
	signal.Notify(asked, syscall.SIGUSR1)
	go func() {
		defer known.Goroutine()()
		for range asked {
			a.toggle()
		}
	}()
}

// An agent serves, or does not.
type agent struct {
	mu     sync.Mutex
	server *http.Server // nil: it does not
	served sync.WaitGroup
}

// toggle begins to serve, or ends it.
func (a *agent) toggle() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.server != nil {
		a.server.Close() // which closes the socket, and removes it
		a.served.Wait()
		a.server = nil
		slog.Info("sight: the socket is closed")
		return
	}
	l, err := agentsocket.Listen()
	if err != nil {
		slog.Warn("sight: no socket", "error", err)
		return
	}
	slog.Info("sight: the program can be looked at", "socket", l.Addr().String())
	a.serve(l)
}

func (a *agent) serve(l net.Listener) {
	// Who can connect is known, whatever host is named.
	a.server = &http.Server{
		Handler:           sight.Handler(sight.WithHosts("*")),
		ReadHeaderTimeout: 10 * time.Second,
		WriteTimeout:      time.Minute,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    1 << 14,
	}
	server := a.server
	a.served.Go(func() {
		defer known.Goroutine()()
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			slog.Warn("sight: the socket is closed", "error", err)
		}
	})
}
