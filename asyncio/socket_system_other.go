//go:build portable || !(linux || darwin || dragonfly || freebsd || netbsd || openbsd)

package asyncio

// systemSockets makes the sockets of a loop without a Network.
var systemSockets sockets = portableSockets{}

// systemConns makes the connections of a loop without a Network.
var systemConns conns = portableConns{}

// systemPipes makes the pipes of a loop.
var systemPipes pipes = portablePipes{}
