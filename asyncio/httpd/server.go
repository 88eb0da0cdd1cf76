package httpd

import (
	"bufio"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"log"
	"net"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

// A Server serves HTTP on a loop, each connection in a task of its own. The zero
// Server, with a Config, is ready. It belongs to the loop that it first serves on,
// and so do its methods; several loops have a Server each, which may share a
// Config. It must not be copied.
type Server struct {
	// Config says what is served and how, in net/http's words: Addr, Handler,
	// DisableGeneralOptionsHandler, TLSConfig, the four timeouts, MaxHeaderBytes,
	// ConnState, ErrorLog, BaseContext, ConnContext, with net/http's defaults. What is
	// about HTTP/2 (TLSNextProto, Protocols, HTTP2) is not looked at. Its methods are
	// of no effect on this server: use the Server's own. The hooks run on the loop
	// and must not wait. If BaseContext is nil, the contexts of requests have the
	// values of Serve's.
	Config *http.Server

	// GracePeriod is for how long requests under way may go on when the task that
	// serves is cancelled, or its context ends; those that are left then are
	// cancelled. Zero has them cancelled at once. A second cancel ends it.
	GracePeriod time.Duration

	groups     []*group    // of connections: one for each call of Serve, and that of ServeConn
	alone      *group      // the connections of ServeConn
	closing    atomic.Bool // Shutdown or Close was called
	noKeep     atomic.Bool // see SetKeepAlivesEnabled
	onShutdown []func()
	date       dateCache

	reader         shelf[bufio.Reader]
	writer, pieces shelf[bufio.Writer]
}

// A group is the connections of one listener.
type group struct {
	ln      net.Listener // nil: of ServeConn
	conns   map[*conn]struct{}
	live    int           // how many are not hijacked
	changed asyncio.Event // one has ended, or was hijacked
	ending  atomic.Bool   // no connection is kept
}

// ListenAndServe listens at addr, ":8080" say, and serves h there: it is the
// method of a Server with no other choices.
func ListenAndServe(ctx context.Context, addr string, h http.Handler) error {
	return New(&http.Server{Addr: addr, Handler: h}).ListenAndServe(ctx)
}

// Serve serves h to the connections that ln accepts: it is the method of a Server
// with no other choices.
func Serve(ctx context.Context, ln net.Listener, h http.Handler) error {
	return New(&http.Server{Handler: h}).Serve(ctx, ln)
}

// New makes a Server that serves what cfg says. Any goroutine may call it.
func New(cfg *http.Server) *Server { return &Server{Config: cfg} }

func (s *Server) config() *http.Server {
	if s.Config == nil {
		s.Config = new(http.Server)
	}
	return s.Config
}

// ListenAndServe listens at the Config's Addr, or ":http" if it is empty, and
// calls Serve. Only a task may call it; it switches.
func (s *Server) ListenAndServe(ctx context.Context) error {
	return s.listen(ctx, ":http", func(ln net.Listener) error { return s.Serve(ctx, ln) })
}

// ListenAndServeTLS is ListenAndServe for TLS: see ServeTLS. The address without
// an Addr is ":https".
func (s *Server) ListenAndServeTLS(ctx context.Context, certFile, keyFile string) error {
	return s.listen(ctx, ":https", func(ln net.Listener) error { return s.ServeTLS(ctx, ln, certFile, keyFile) })
}

func (s *Server) listen(ctx context.Context, byDefault string, serve func(net.Listener) error) error {
	if s.closing.Load() {
		return http.ErrServerClosed
	}
	ln, err := asyncio.Listen(ctx, "tcp", cmp.Or(s.config().Addr, byDefault))
	if err != nil {
		return err
	}
	return serve(ln)
}

// ServeTLS is Serve with TLS by the Config's TLSConfig, and the certificate and
// key of the two files, which may be "" if the TLSConfig has some. HTTP/1.1 is all
// that is offered to clients: "h2" is taken out of NextProtos.
func (s *Server) ServeTLS(ctx context.Context, ln net.Listener, certFile, keyFile string) error {
	cfg := new(tls.Config)
	if given := s.config().TLSConfig; given != nil {
		cfg = given.Clone()
	}
	cfg.NextProtos = slices.DeleteFunc(slices.Clone(cfg.NextProtos), func(p string) bool { return p == "h2" })
	if !slices.Contains(cfg.NextProtos, "http/1.1") {
		cfg.NextProtos = append(cfg.NextProtos, "http/1.1")
	}
	has := len(cfg.Certificates) > 0 || cfg.GetCertificate != nil || cfg.GetConfigForClient != nil
	if !has || certFile != "" || keyFile != "" {
		cert, err := tls.LoadX509KeyPair(certFile, keyFile)
		if err != nil {
			ln.Close()
			return err
		}
		cfg.Certificates = []tls.Certificate{cert}
	}
	return s.Serve(ctx, tls.NewListener(ln, cfg))
}

// Serve accepts connections from ln, which is one of asyncio.Listen's, or of TLS
// over one, and serves each in a task, until Shutdown or Close, or until the
// calling task is cancelled or ctx ends. It closes ln, and returns when the tasks
// of its connections have ended: nothing that it has begun outlives it, but what a
// handler has hijacked before Shutdown or Close.
//
// It never returns nil: http.ErrServerClosed after Shutdown or Close, the
// CancelledError, that of ctx, or that of ln. Where the system has run out of
// descriptors it tries again, as net/http does. Only a task may call it; it
// switches.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	defer ln.Close()
	if asyncio.CurrentTask(ctx) == nil {
		return asyncio.ErrNoRunningLoop
	}
	if s.closing.Load() {
		return http.ErrServerClosed
	}
	base := context.WithoutCancel(ctx) // or a request would end twice, and before its grace period
	if f := s.config().BaseContext; f != nil {
		if base = f(ln); base == nil {
			panic("httpd: BaseContext has returned nil")
		}
	}
	g := s.addGroup(ln)
	defer s.removeGroup(g)
	unhook := context.AfterFunc(ctx, func() { ln.Close() }) // Accept does not know of ctx
	err := s.accept(ctx, context.WithValue(base, http.ServerContextKey, s.Config), g)
	unhook()
	if s.closing.Load() {
		if err = g.until(ctx, func() bool { return g.live == 0 }); err == nil {
			return http.ErrServerClosed
		}
	}
	if ctx.Err() != nil && cancellation(err) == nil {
		err = ctx.Err()
	}
	s.end(ctx, g)
	return err
}

func (s *Server) addGroup(ln net.Listener) *group {
	g := &group{ln: ln, conns: make(map[*conn]struct{})}
	s.groups = append(s.groups, g)
	return g
}

func (s *Server) removeGroup(g *group) {
	s.groups = slices.DeleteFunc(s.groups, func(other *group) bool { return other == g })
}

// accept accepts connections until that fails. base is what the contexts of their
// requests add to.
func (s *Server) accept(ctx, base context.Context, g *group) error {
	const patience = time.Second // the longest pause after an error
	var pause time.Duration
	for n := 1; ; n++ {
		rwc, err := g.ln.Accept()
		if err != nil {
			//lint:ignore SA1019 net/http, too, takes it for too many open files and the like
			if ne, ok := err.(net.Error); !ok || !ne.Temporary() || s.closing.Load() {
				return err
			}
			pause = min(max(2*pause, 5*time.Millisecond), patience)
			s.logf("http: Accept error: %v; retrying in %v", err, pause)
			if err := asyncio.Sleep(ctx, pause); err != nil {
				return err
			}
			continue
		}
		pause = 0
		of := base
		if f := s.Config.ConnContext; f != nil {
			if of = f(of, rwc); of == nil {
				panic("httpd: ConnContext has returned nil")
			}
		}
		c := s.newConn(rwc, g)
		c.task = asyncio.Go(ctx, c.serve, asyncio.WithTaskContext(of))
		if n%acceptBurst == 0 { // while more and more come, those that are there shall be served
			if err := asyncio.Sleep(ctx, 0); err != nil {
				return err
			}
		}
	}
}

const acceptBurst = 64

// ServeConn serves one connection in the calling task, and returns when it is
// over, for programs that accept connections themselves. rwc is closed then,
// unless a handler has hijacked it. The Config's BaseContext is not asked.
//
// The error is a CancelledError if the task was cancelled, ErrNoRunningLoop to who
// is no task, or http.ErrServerClosed. It switches.
func (s *Server) ServeConn(ctx context.Context, rwc net.Conn) error {
	t := asyncio.CurrentTask(ctx)
	if t == nil {
		return asyncio.ErrNoRunningLoop
	}
	if s.closing.Load() {
		rwc.Close()
		return http.ErrServerClosed
	}
	of := context.WithValue(ctx, http.ServerContextKey, s.config())
	if f := s.Config.ConnContext; f != nil {
		if of = f(of, rwc); of == nil {
			panic("httpd: ConnContext has returned nil")
		}
	}
	if s.alone == nil {
		s.alone = s.addGroup(nil)
	}
	c := s.newConn(rwc, s.alone)
	c.task = t
	defer c.forget()
	return c.serve(of)
}

// end is the end of a Serve that was cancelled: it waits for the requests under
// way, for as long as the grace period, and then for the tasks, which it cancels.
func (s *Server) end(ctx context.Context, g *group) {
	g.ln.Close()
	g.ending.Store(true)
	l := asyncio.CurrentTask(ctx).Loop()
	ctx = context.WithoutCancel(ctx)
	asyncio.Sleep(ctx, 0) // the cancel that Accept has failed with is heard of
	if s.GracePeriod > 0 {
		asyncio.WithTimeout(ctx, s.GracePeriod, func(ctx context.Context, _ *asyncio.Timeout) error {
			return s.drain(ctx, l, g)
		})
	}
	for c := range g.conns {
		c.task.Cancel()
		if !c.begun { // and never will
			rwc := c.rwc
			c.forget()
			rwc.Close()
		}
	}
	for g.until(ctx, func() bool { return len(g.conns) == 0 }) != nil {
		if l.IsClosed() {
			return
		}
	}
}

// until suspends the calling task until done reports true.
func (g *group) until(ctx context.Context, done func() bool) error {
	for !done() {
		g.changed.Clear()
		if err := g.changed.Wait(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Shutdown ends the server without breaking off a request: it closes the
// listeners and the connections that are idle, and waits for the others, which end
// with their request. Serve returns http.ErrServerClosed at the end, not at the
// beginning, as net/http's does. Hijacked connections are not waited for: see
// RegisterOnShutdown. Afterwards the server cannot be used again.
//
// The error is that of closing a listener, a CancelledError, or that of ctx when
// it ends: then the connections go on, and Close ends them. Only a task may call
// it; it switches. A handler that calls it waits for itself.
func (s *Server) Shutdown(ctx context.Context) error {
	l, err := asyncio.RunningLoop(ctx)
	if err != nil {
		return err
	}
	err = s.closeListeners()
	for _, f := range s.onShutdown {
		asyncio.Go(ctx, func(context.Context) error { f(); return nil })
	}
	for _, g := range slices.Clone(s.groups) {
		if err := s.drain(ctx, l, g); err != nil {
			return err
		}
	}
	return err
}

// drain waits until the requests under way are answered.
func (s *Server) drain(ctx context.Context, l *asyncio.Loop, g *group) error {
	s.closeIdle(g)
	// Who has connected and said nothing for a while will not ask now.
	defer l.CallLater(newConnPatience, func() {
		for c := range g.conns {
			if c.state == http.StateNew {
				c.rwc.Close()
			}
		}
	}).Cancel()
	return g.until(ctx, func() bool { return g.live == 0 })
}

const newConnPatience = 5 * time.Second

// Close closes the listeners and all connections that were not hijacked, at once.
// Requests under way learn of it by their contexts, and by errors. Serve returns
// when their handlers have returned. The error is that of closing a listener. It
// does not switch.
func (s *Server) Close() error {
	err := s.closeListeners()
	for _, g := range s.groups {
		for c := range g.conns {
			if !c.hijacked.Load() {
				c.rwc.Close()
				c.gone()
			}
		}
	}
	return err
}

func (s *Server) closeListeners() (err error) {
	s.closing.Store(true)
	for _, g := range s.groups {
		g.ending.Store(true)
		if g.ln != nil {
			if e := g.ln.Close(); !errors.Is(e, net.ErrClosed) {
				err = cmp.Or(err, e)
			}
		}
	}
	return err
}

// closeIdle closes the connections that wait for a next request.
func (s *Server) closeIdle(g *group) {
	for c := range g.conns {
		if c.state == http.StateIdle {
			c.rwc.Close()
		}
	}
}

// RegisterOnShutdown has Shutdown call f, in a task of its own, which Shutdown does
// not wait for: for what ends hijacked connections. It does not switch.
func (s *Server) RegisterOnShutdown(f func()) { s.onShutdown = append(s.onShutdown, f) }

// SetKeepAlivesEnabled tells whether a connection may bring more than one request.
// It may without it. Connections that are idle are closed if it is false. It does
// not switch.
func (s *Server) SetKeepAlivesEnabled(on bool) {
	s.noKeep.Store(!on)
	if !on {
		for _, g := range s.groups {
			s.closeIdle(g)
		}
	}
}

func (s *Server) logf(format string, args ...any) {
	if l := s.Config.ErrorLog; l != nil {
		l.Printf(format, args...)
	} else {
		log.Printf(format, args...)
	}
}
