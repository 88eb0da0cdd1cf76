package asyncio

import "github.com/go-greenlet/greenlet/asyncio/internal/fd"

// A world is where the sockets, connections and pipes of a loop come from, and to
// whom it leaves what is to be written.
type world struct {
	network Network // nil: the system's
	sockets sockets
	conns   conns // without a Network
	pipes   pipes
	writers fd.Writers // who write what was taken
}

var worldPart = newPart(endWrites,
	func() *world { return &world{sockets: systemSockets, conns: systemConns, pipes: systemPipes} },
	func(w *world) { w.writers.Linger() })

func (l *Loop) world() *world { return worldPart.in(l.parts) }
