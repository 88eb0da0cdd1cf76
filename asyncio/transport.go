package asyncio

import (
	"net"
	"os"
)

// A ReadTransport is one that can be read from. Python: asyncio.ReadTransport.
type ReadTransport interface {
	BaseTransport

	// IsReading reports whether data is being received. Python: is_reading.
	IsReading() bool

	// PauseReading has nothing received until ResumeReading. What the other side
	// sends meanwhile fills the buffers of the system, and then stops it. While it is
	// paused a second call does nothing. Python: pause_reading.
	PauseReading()

	// ResumeReading ends a pause. Python: resume_reading.
	ResumeReading()
}

// A WriteTransport is one that can be written to. Python:
// asyncio.WriteTransport.
type WriteTransport interface {
	BaseTransport

	// Write sends data, or keeps a copy of what cannot be sent now until it can:
	// it never waits. After Close, and after the connection was lost, data is
	// dropped. The error is a RuntimeError after WriteEOF. Python: write.
	Write(data []byte) error

	// WriteLines is Write of several pieces, in one system call if possible.
	// Python: writelines.
	WriteLines(pieces ...[]byte) error

	// WriteEOF ends what is sent when what was written is sent. Data can still be
	// received. The error is errors.ErrUnsupported if CanWriteEOF is false.
	// Python: write_eof.
	WriteEOF() error

	// CanWriteEOF reports whether WriteEOF works: not with TLS. Python:
	// can_write_eof.
	CanWriteEOF() bool

	// Abort closes the transport at once: what was not sent is dropped. Python:
	// abort.
	Abort()

	// SetWriteBufferLimits sets the marks of flow control, in bytes: see
	// FlowController. Below zero stands for the default, which is 64 KiB for high
	// and a quarter of high for low. The error is a ValueError unless high >= low.
	// Python: set_write_buffer_limits.
	SetWriteBufferLimits(high, low int) error

	// WriteBufferLimits returns the marks. Python: get_write_buffer_limits.
	WriteBufferLimits() (low, high int)

	// WriteBufferSize returns how many bytes wait to be sent. Python:
	// get_write_buffer_size.
	WriteBufferSize() int
}

// A Transport is a connection of bytes in both directions. Python:
// asyncio.Transport.
type Transport interface {
	ReadTransport
	WriteTransport
}

// A DatagramTransport is a socket for datagrams. Python:
// asyncio.DatagramTransport.
type DatagramTransport interface {
	BaseTransport

	// SendTo sends data as one datagram to addr, or to where the socket is
	// connected if that is nil. It never waits: if the system has no room, a copy
	// is kept until it has. The error is a ValueError for another address than the
	// connected one, and a *net.OpError, as of a net.PacketConn, for what is no
	// address for the socket. What the system says of one is told to ErrorReceived.
	// Python: sendto.
	SendTo(data []byte, addr net.Addr) error

	// Abort closes at once: datagrams that were not sent are dropped. Python:
	// abort.
	Abort()

	// SetWriteBufferLimits, WriteBufferLimits and WriteBufferSize are those of
	// WriteTransport.
	SetWriteBufferLimits(high, low int) error
	WriteBufferLimits() (low, high int)
	WriteBufferSize() int
}

// A SubprocessTransport is a child process and its pipes. Python:
// asyncio.SubprocessTransport.
type SubprocessTransport interface {
	BaseTransport

	// Pid returns the number of the process. Python: get_pid.
	Pid() int

	// ReturnCode returns the exit code: -N if signal N has ended the process.
	// Before it has ended, ok is false. Python: get_returncode.
	ReturnCode() (code int, ok bool)

	// PipeTransport returns the transport of the pipe to the child's descriptor
	// fd: a WriteTransport for 0, a ReadTransport for 1 and 2, nil if there is no
	// pipe. Python: get_pipe_transport.
	PipeTransport(fd int) BaseTransport

	// SendSignal sends sig to the process. After its end the error is
	// os.ErrProcessDone, Python's ProcessLookupError. Python: send_signal.
	SendSignal(sig os.Signal) error

	// Terminate asks the process to end, Kill ends it. Python: terminate, kill.
	Terminate() error
	Kill() error
}
