package asyncio

import (
	"crypto/tls"
	"net"
	"time"
)

// A TLSOption is a choice about TLS, made where a connection or server is made,
// or StartTLS called.
type TLSOption interface{ forTLS(o *tlsOptions) }

type tlsOption func(*tlsOptions)

func (f tlsOption) forTLS(o *tlsOptions) { f(o) }

type tlsOptions struct {
	config              *tls.Config // what the user knows
	used                *tls.Config
	server              bool
	hostname            string
	handshake, shutdown time.Duration
}

// What asyncio waits.
const (
	tlsHandshakeTimeout = 60 * time.Second
	tlsShutdownTimeout  = 30 * time.Second
)

// WithTLSServerSide makes this side the server of StartTLS. Python:
// start_tls(server_side=True).
func WithTLSServerSide() TLSOption {
	return tlsOption(func(o *tlsOptions) { o.server = true })
}

// WithTLSServerHostname sets the name that the server's certificate must be for,
// in place of the Config's ServerName. Python: server_hostname.
func WithTLSServerHostname(name string) TLSOption {
	return tlsOption(func(o *tlsOptions) { o.hostname = name })
}

// WithTLSHandshakeTimeout limits how long the handshake may take, on the loop's
// clock: a minute without it. A connection that needs longer is aborted with
// Python's ConnectionAbortedError, which is syscall.ECONNABORTED. Python:
// ssl_handshake_timeout.
func WithTLSHandshakeTimeout(d time.Duration) TLSOption {
	return tlsOption(func(o *tlsOptions) { o.handshake = d })
}

// WithTLSShutdownTimeout limits how long a transport that was closed waits for
// what is still to be sent and for the peer's close_notify, on the loop's clock:
// 30 seconds without it. A connection that needs longer is aborted with
// ErrTimeout. Python: ssl_shutdown_timeout.
func WithTLSShutdownTimeout(d time.Duration) TLSOption {
	return tlsOption(func(o *tlsOptions) { o.shutdown = d })
}

// WithTLS has the connection, or each connection of a server, go by TLS with cfg.
// What StartTLS says about cfg holds here, too. The server's name is the host of
// the address unless cfg or WithTLSServerHostname says otherwise; without a cfg
// the client trusts what the system trusts. OpenConnection and CreateConnection
// return, and a server's protocols are told of their connection, when the
// handshake is over; a server says nothing of handshakes that fail. Python: ssl.
func WithTLS(cfg *tls.Config, opts ...TLSOption) SocketOption {
	return socketOption(func(o *socketOptions) { o.tls = &tlsChoice{cfg, opts} })
}

// A tlsChoice is what WithTLS was called with.
type tlsChoice struct {
	config *tls.Config
	opts   []TLSOption
}

// options completes the choice for a client of addr, or for a server. Without a
// choice it returns nil.
func (c *tlsChoice) options(server bool, addr string) (*tlsOptions, error) {
	if c == nil {
		return nil, nil
	}
	host, _, _ := net.SplitHostPort(addr)
	return newTLSOptions(c.config, server, host, c.opts)
}

// newTLSOptions completes cfg and opts. server and hostname are what they say
// nothing about.
func newTLSOptions(cfg *tls.Config, server bool, hostname string, opts []TLSOption) (*tlsOptions, error) {
	o := &tlsOptions{server: server, handshake: tlsHandshakeTimeout, shutdown: tlsShutdownTimeout}
	choose(o, opts, TLSOption.forTLS)
	switch {
	case o.handshake <= 0:
		return o, valueErrorf("the timeout of WithTLSHandshakeTimeout should be positive, got %v", o.handshake)
	case o.shutdown <= 0:
		return o, valueErrorf("the timeout of WithTLSShutdownTimeout should be positive, got %v", o.shutdown)
	case o.server && cfg == nil:
		return o, valueErrorf("the server side of TLS needs a tls.Config")
	case cfg == nil:
		cfg = new(tls.Config)
	}
	o.config, o.used = cfg, cfg
	if o.server {
		return o, nil // as it is: a copy would have session tickets of its own
	}
	name := cfg.ServerName
	if name == "" {
		name = hostname
	}
	if o.hostname != "" {
		name = o.hostname
	}
	if name != cfg.ServerName || cfg.Renegotiation != tls.RenegotiateNever {
		o.used = cfg.Clone()
		o.used.ServerName = name
		o.used.Renegotiation = tls.RenegotiateNever // see tlsEngine
	}
	return o, nil
}
