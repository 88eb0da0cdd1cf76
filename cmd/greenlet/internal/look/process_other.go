//go:build !linux

package look

import "errors"

// Supported reports whether the memory of processes can be read on this system.
const Supported = false

// Open returns an error: memory is read on Linux alone.
func Open(pid int) (*Process, error) {
	return nil, errors.New("the memory of processes is read on Linux alone")
}

// plain returns err: there is no kind to tell.
func plain(err error) error { return err }

// Close does nothing.
func (p *Process) Close() error { return nil }

// A Listed is a process that has a sight table.
type Listed struct {
	PID     int    `json:"pid"`
	Go      string `json:"go"`
	Command string `json:"command"`
}

// List returns nothing.
func List() []Listed { return []Listed{} }

// WhyForbidden says what the system asks of who reads the memory of a process.
func WhyForbidden() string { return "" }

func monotonic() int64 { return 0 }
