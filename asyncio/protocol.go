package asyncio

import "net"

// A Protocol is the program's side of a connection of bytes. NopProtocol, if it
// is embedded, has those methods that a protocol does not need.
//
// Python: asyncio.Protocol.
type Protocol interface {
	BaseProtocol

	// ConnectionMade is called once, before everything else.
	ConnectionMade(t Transport)

	// DataReceived is called with what has come, in pieces of any size. data is
	// the callee's only until it returns.
	DataReceived(data []byte)
}

// A BufferedProtocol is a Protocol that provides the memory that the connection
// is read into. Python: asyncio.BufferedProtocol.
type BufferedProtocol interface {
	BaseProtocol

	// ConnectionMade is called once, before everything else.
	ConnectionMade(t Transport)

	// GetBuffer returns memory to read into, of any size but zero. hint is how
	// much would be good, below zero if that is not known.
	GetBuffer(hint int) []byte

	// BufferUpdated tells how much was read into what GetBuffer has returned.
	BufferUpdated(n int)
}

// An EOFReceiver is a Protocol or BufferedProtocol that is told of the end of
// what the other side sends. If EOFReceived returns true the connection stays open
// for what is still to be written; else, or if the protocol has no such method,
// the transport is closed. Python: Protocol.eof_received.
type EOFReceiver interface {
	EOFReceived() (keepOpen bool)
}

// A FlowController is a protocol that is told when what it has written waits to
// be sent: PauseWriting when it has grown above the high-water mark, and
// ResumeWriting when it has shrunk to the low one. They alternate. Python:
// BaseProtocol.pause_writing and resume_writing.
type FlowController interface {
	PauseWriting()
	ResumeWriting()
}

// A DatagramProtocol is the program's side of a socket for datagrams. Python:
// asyncio.DatagramProtocol.
type DatagramProtocol interface {
	BaseProtocol

	// ConnectionMade is called once, before everything else.
	ConnectionMade(t DatagramTransport)

	// DatagramReceived is called with each datagram and who has sent it. data is
	// the callee's only until it returns.
	DatagramReceived(data []byte, from net.Addr)

	// ErrorReceived is called if an earlier datagram could not be sent or
	// delivered: nobody listens there, say. The socket stays open.
	ErrorReceived(err error)
}

// A SubprocessProtocol is the program's side of a child process and its pipes.
// Python: asyncio.SubprocessProtocol.
type SubprocessProtocol interface {
	BaseProtocol

	// ConnectionMade is called once, before everything else.
	ConnectionMade(t SubprocessTransport)

	// PipeDataReceived is called with what the child has written to its
	// descriptor fd: 1 is its output, 2 its errors. data is the callee's only
	// until it returns.
	PipeDataReceived(fd int, data []byte)

	// PipeConnectionLost is called when one of the pipes is over: 0 is the
	// child's input.
	PipeConnectionLost(fd int, err error)

	// ProcessExited is called when the child has ended. Pipes may be open still.
	ProcessExited()
}

// NopProtocol has the methods of Protocol that a program may not need, and does
// nothing in them. It is meant to be embedded. At the end of what the other side
// sends it has the transport closed.
type NopProtocol struct{}

// ConnectionMade does nothing.
func (NopProtocol) ConnectionMade(Transport) {}

// DataReceived does nothing.
func (NopProtocol) DataReceived([]byte) {}

// EOFReceived returns false: the transport is closed.
func (NopProtocol) EOFReceived() (keepOpen bool) { return false }

// ConnectionLost does nothing.
func (NopProtocol) ConnectionLost(error) {}

// PauseWriting does nothing.
func (NopProtocol) PauseWriting() {}

// ResumeWriting does nothing.
func (NopProtocol) ResumeWriting() {}

// NopDatagramProtocol is NopProtocol for sockets for datagrams.
type NopDatagramProtocol struct{}

// ConnectionMade does nothing.
func (NopDatagramProtocol) ConnectionMade(DatagramTransport) {}

// DatagramReceived does nothing.
func (NopDatagramProtocol) DatagramReceived([]byte, net.Addr) {}

// ErrorReceived does nothing.
func (NopDatagramProtocol) ErrorReceived(error) {}

// ConnectionLost does nothing.
func (NopDatagramProtocol) ConnectionLost(error) {}

// PauseWriting does nothing.
func (NopDatagramProtocol) PauseWriting() {}

// ResumeWriting does nothing.
func (NopDatagramProtocol) ResumeWriting() {}

// NopSubprocessProtocol is NopProtocol for child processes.
type NopSubprocessProtocol struct{}

// ConnectionMade does nothing.
func (NopSubprocessProtocol) ConnectionMade(SubprocessTransport) {}

// PipeDataReceived does nothing.
func (NopSubprocessProtocol) PipeDataReceived(int, []byte) {}

// PipeConnectionLost does nothing.
func (NopSubprocessProtocol) PipeConnectionLost(int, error) {}

// ProcessExited does nothing.
func (NopSubprocessProtocol) ProcessExited() {}

// ConnectionLost does nothing.
func (NopSubprocessProtocol) ConnectionLost(error) {}

// PauseWriting does nothing.
func (NopSubprocessProtocol) PauseWriting() {}

// ResumeWriting does nothing.
func (NopSubprocessProtocol) ResumeWriting() {}
